import { build, type Plugin } from 'esbuild';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { projectPath } from '../../support/project-path.js';

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
    plugins: [browserField(folder)],
  });
  const [output] = outputFiles;
  return {
    text: output!.text,
    gzipBytes: gzipSync(output!.contents, { level: 9 }).length,
    inputs: Object.keys(metafile.inputs),
    imports: Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path)),
  };
}

/** The field `browser` of package.json, whose paths below dist/ stand for those of the build under test. */
function browserField(folder: string): Plugin {
  const { browser } = JSON.parse(readFileSync(projectPath('package.json'), 'utf8')) as { readonly browser: Record<string, string> };
  const built = (path: string): string => join(folder, path.replace('./dist/', 'src/'));
  const replacements = new Map(Object.entries(browser).map(([from, to]) => [built(from), built(to)]));
  return {
    name: 'browser-field',
    setup: (bundler) =>
      bundler.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const replacement = replacements.get(join(resolveDir, path));
        return replacement === undefined ? undefined : { path: replacement, sideEffects: false };
      }),
  };
}
