import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

/** Bundles the page's script and serves page, script and the hub's address. */
export async function servePage({ port, hubUrl }) {
  const { outputFiles, metafile } = await build({
    entryPoints: [new URL('app.js', import.meta.url).pathname],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    metafile: true,
  });
  const files = {
    '/': ['text/html; charset=utf-8', await readFile(new URL('index.html', import.meta.url))],
    '/app.js': ['text/javascript; charset=utf-8', outputFiles[0].contents],
  };
  const server = createServer((request, response) => {
    const [type, body] = files[request.url] ?? (request.url === '/config.json' ? ['application/json', JSON.stringify({ hub: hubUrl() })] : []);
    if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Type': type }).end(body);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}`, inputs: Object.keys(metafile.inputs), bytes: outputFiles[0].contents.length };
}
