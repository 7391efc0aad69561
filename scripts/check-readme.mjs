// Does what README.md tells people to do: runs its commands and its Node example, and compiles its Nest example,
// against the packed tarball in a folder of its own. Run it after a build.
import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TIMEOUT_MS = 60_000;
const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
const blocks = (language) => [...readme.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text);
const commands = blocks('bash').flatMap((text) => text.split('\n')).map((line) => line.replace(/\s+#.*$/, '').trim()).filter(Boolean);

let passed = 0;
let failed = 0;
const home = await mkdtemp(join(tmpdir(), 'cross-comm-readme-'));
try {
  await prepare();
  for (const command of commands) await check(command, () => runCommand(command));
  const hub = await start('npx cross-comm server --port 9898 --host 127.0.0.1 --data-dir ./hub', home, 'authentication is OFF');
  for (const command of commands.filter((line) => line.startsWith('npx'))) await check(command, () => runCliCommand(command));
  const [node, nest, sdk] = blocks('ts');
  const [delivery] = blocks('js');
  await check('the Node example', () => runNodeExample(node));
  await check('the delivery example', () => runDeliveryExample(delivery));
  await hub.stop();
  await check('the Nest example', () => compileExample(nest));
  await check('the SDK example', () => compileExample(sdkProgram(sdk)));
} finally {
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`readme: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function prepare() {
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', home], { cwd: ROOT, stdio: 'pipe' });
  const { version, devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  await writeFile(join(home, 'package.json'), JSON.stringify({ name: 'reader', private: true, type: 'module' }));
  const peers = ['@nestjs/common', '@nestjs/core', '@nestjs/websockets', 'reflect-metadata', 'rxjs'].map((name) => `${name}@${devDependencies[name]}`);
  execFileSync('npm', ['install', '--no-audit', '--no-fund', `./cross-comm-${version}.tgz`, ...peers], { cwd: home, stdio: 'pipe' });
  await mkdir(join(home, 'photos'));
  await writeFile(join(home, 'photos', 'one.txt'), '1');
  await writeFile(join(home, 'report.pdf'), 'a report');
}

async function check(name, action) {
  try {
    await action();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.error(`FAILED  ${name}\n        ${error.message.replaceAll('\n', '\n        ')}`);
  }
}

/** The commands of the repository itself. `npm ci && …` is what .ci/run does around this script. */
async function runCommand(command) {
  if (command.startsWith('npx')) return;
  if (command === 'npm ci && npm start') command = 'npm start -- --port 0 --data-dir ' + join(home, 'started');
  if (command === 'npm ci && npm test') {
    const ci = await readFile(join(ROOT, '.ci', 'run'), 'utf8');
    if (!/^npm ci$/m.test(ci) || !/^npm test$/m.test(ci)) throw new Error('.ci/run does not run npm ci and npm test.');
  } else if (command.startsWith('npm start')) {
    const dataDir = command.includes('--data-dir') ? '' : ` --data-dir ${join(home, 'started')}`;
    const hub = await start(`${command.replace('./data', join(home, 'data'))}${dataDir}`, ROOT, 'authentication is OFF');
    await hub.stop();
  } else await finish(command, ROOT);
}

/** The CLI's commands, with a hub on the default port; those that run until they are stopped are stopped. */
async function runCliCommand(command) {
  if (command.includes(' listen ')) await (await start(command, home, 'Listening as')).stop();
  else if (command.includes(' client ')) await finish(command, home, 'hello\nlist\nquit\n');
  else if (command.includes('--to bob')) {
    const bob = await start('npx cross-comm listen --id bob', home, 'Listening as');
    await finish(command, home);
    await bob.stop();
  } else await finish(command, home);
}

async function runNodeExample(code) {
  await writeFile(join(home, 'example.mjs'), `${code}\nconsole.log('reached the end');\n`);
  const alice = await start('npx cross-comm listen --id alice --count 2 --type text --type file', home, 'Listening as');
  const example = await start('node example.mjs', home, 'reached the end');
  const output = await alice.ended;
  await example.stop();
  const types = output.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line).msgType);
  if (types.join() !== 'text,file') throw new Error(`alice got ${types.join()}:\n${output}`);
}

async function runDeliveryExample(code) {
  await writeFile(join(home, 'delivery.mjs'), code);
  const output = await finish('node delivery.mjs', home);
  const lines = output.split('\n');
  const missing = ['hello', '21.5', '3', 'snapshot'].filter((line) => !lines.includes(line));
  if (missing.length > 0) throw new Error(`It did not print ${missing.join()}:\n${output}`);
}

/** The SDK's snippet speaks of things that the reader has. */
function sdkProgram(code) {
  return `import { CrossCommClient, CommMsgType, MessageListener } from 'cross-comm/sdk';\nclass MyListeners {\n  @MessageListener() on(): void {}\n}\nconst client = new CrossCommClient();\n${code}\nvoid clients; void unsubscribe;\n`;
}

async function compileExample(code) {
  await writeFile(join(home, 'snippet.ts'), code);
  const compilerOptions = { target: 'es2023', module: 'nodenext', strict: true, experimentalDecorators: true, emitDecoratorMetadata: true, noEmit: true, lib: ['es2023', 'dom'], types: [] };
  await writeFile(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: true }, files: ['snippet.ts'] }));
  await finish(`${join(ROOT, 'node_modules', '.bin', 'tsc')} -p tsconfig.json`, home);
}

/** Starts a command and waits until it has printed `text`. `stop` ends it with SIGTERM and wants exit code 0. */
async function start(command, cwd, text) {
  const child = spawn('bash', ['-c', `exec ${command}`], { cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  const ended = new Promise((resolve) => child.once('close', () => resolve(output)));
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      process.kill(-child.pid, 'SIGKILL');
      reject(new Error(`"${command}" did not print "${text}" in time:\n${output}`));
    }, TIMEOUT_MS);
    const onData = (data) => {
      output += data;
      if (!output.includes(text)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('close', (code) => {
      clearTimeout(timer);
      reject(new Error(`"${command}" ended with ${code}:\n${output}`));
    });
  });
  const stop = async () => {
    if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await ended;
  };
  return { stop, ended };
}

/** Runs a command to its end, which must be a good one. */
function finish(command, cwd, input = '') {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', command], { cwd, stdio: ['pipe', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.stdin.end(input);
    child.once('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`"${command}" ended with ${code}:\n${output}`))));
  });
}
