import { exchange } from './exchange.js';

// a hub must be running: npx cross-comm server
const { greeting, answer } = await exchange(process.argv[2] ?? 'ws://127.0.0.1:9898');
console.log(`Bob got "${greeting}", Alice got the answer "${answer}".`);
