import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

export interface BrowserBundle {
  readonly text: string;
  readonly gzipBytes: number;
  /** The files it was made of. */
  readonly inputs: readonly string[];
  /** What it would load at run time. */
  readonly imports: readonly string[];
}

/** The browser's SDK as a page gets it. */
export async function browserBundle(): Promise<BrowserBundle> {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'src/sdk/index.js'))) folder = dirname(folder);
  const { outputFiles, metafile } = await build({
    entryPoints: [join(folder, 'src/sdk/index.js')],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    metafile: true,
    write: false,
  });
  const [output] = outputFiles;
  return {
    text: output!.text,
    gzipBytes: gzipSync(output!.contents, { level: 9 }).length,
    inputs: Object.keys(metafile.inputs),
    imports: Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path)),
  };
}
