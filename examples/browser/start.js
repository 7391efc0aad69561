import { servePage } from './page-server.js';

// a hub must be running that lets this page in:
//   npx cross-comm server --allowed-origin http://127.0.0.1:8080
const { url } = await servePage({ port: 8080, hubUrl: () => process.argv[2] ?? 'ws://127.0.0.1:9898' });
console.log(`Open ${url} in two windows.`);
