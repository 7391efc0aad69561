// Packs the package as it would be published, checks the tarball, and runs each example against it in a folder of its
// own. Run it after a build. Arguments: names of examples, to run only those.
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIN = join(ROOT, 'node_modules', '.bin');
const EXAMPLES = ['nest11-cjs', 'nest12-esm', 'node-sdk', 'browser'];
const STEP_TIMEOUT_MS = 300_000;
/** Packed size in bytes between which nothing was forgotten and nothing slipped in. */
const TARBALL_BYTES = { min: 50_000, max: 1_500_000 };
const WANTED = ['package.json', 'README.md', 'LICENSE', 'PROTOCOL.md', 'dist/index.js', 'dist/index.d.ts', 'dist/main.js', 'dist/cli/bin.js'];
const UNWANTED = /(^|\/)(tests?|node_modules|examples|bench|build[^/]*)\/|\.test\.|\.spec\.|\.env$|^src\//;

let passed = 0;
let failed = 0;
const folder = await mkdtemp(join(tmpdir(), 'cross-comm-package-'));
try {
  const tarball = await step('npm pack', pack);
  if (tarball !== undefined) {
    await step('contents', () => checkContents(tarball));
    await step('publint', () => run(join(BIN, 'publint'), ['run', tarball.path, '--strict'], ROOT));
    // CommonJS callers use require(esm), which this check does not know; the example nest11-cjs proves it
    await step('attw', () => run(join(BIN, 'attw'), [tarball.path, '--profile', 'esm-only', '--no-emoji'], ROOT));
    const chosen = process.argv.slice(2);
    for (const name of EXAMPLES) if (chosen.length === 0 || chosen.includes(name)) await step(`example ${name}`, () => runExample(name, tarball.path));
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`package: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs one check, says how it went, and goes on after a failure. */
async function step(name, check) {
  const startedMs = performance.now();
  try {
    const result = await check();
    passed++;
    console.log(`ok      ${name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
    return result;
  } catch (error) {
    failed++;
    console.error(`FAILED  ${name}\n${indent(error.message)}`);
    return undefined;
  }
}

async function pack() {
  const output = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], ROOT);
  const [{ filename, size, files }] = JSON.parse(output.slice(output.indexOf('[')));
  return { path: join(folder, basename(filename)), bytes: size, files: files.map(({ path }) => path) };
}

async function checkContents({ bytes, files }) {
  const { exports, bin, types } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const named = [types, ...Object.values(bin), ...leaves(exports)].map((path) => path.replace(/^\.\//, ''));
  const missing = [...new Set([...WANTED, ...named])].filter((path) => !files.includes(path));
  if (missing.length > 0) throw new Error(`The tarball lacks ${missing.join(', ')}. Run npm run build first.`);
  const unwanted = files.filter((path) => UNWANTED.test(path.replace(/^dist\/testing\//, 'dist/')));
  if (unwanted.length > 0) throw new Error(`The tarball holds ${unwanted.join(', ')}; see "files" in package.json.`);
  if (bytes < TARBALL_BYTES.min || bytes > TARBALL_BYTES.max)
    throw new Error(`The tarball has ${bytes} bytes; expected ${TARBALL_BYTES.min} to ${TARBALL_BYTES.max}. Look for what was forgotten or slipped in.`);
  console.log(`        ${files.length} files, ${bytes} bytes packed`);
}

/** Copies an example, points it to the tarball, installs, and runs its self-test (which builds, if there is a build). */
async function runExample(name, tarball) {
  const target = join(folder, name);
  await cp(join(ROOT, 'examples', name), target, {
    recursive: true,
    filter: (path) => !['node_modules', 'dist', 'package-lock.json'].includes(basename(path)),
  });
  const manifestFile = join(target, 'package.json');
  const manifest = JSON.parse(await readFile(manifestFile, 'utf8'));
  manifest.dependencies['cross-comm'] = `file:${tarball}`;
  await writeFile(manifestFile, JSON.stringify(manifest, undefined, 2));
  await run('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline'], target);
  await checkOneWs(target);
  const output = await run('npm', ['run', 'check', '--silent'], target);
  if (!output.includes(`${name}: ok`)) throw new Error(`The self-test did not say "${name}: ok".\n${output}`);
  await rm(target, { recursive: true, force: true, maxRetries: 5 });
}

/** The hub's `ws` must be new enough even where @nestjs/platform-ws brings an older one. */
async function checkOneWs(target) {
  const nested = join(target, 'node_modules', 'cross-comm', 'node_modules');
  const isNested = await readdir(nested).then((names) => names.includes('ws'), () => false);
  const { version } = JSON.parse(await readFile(join(isNested ? nested : join(target, 'node_modules'), 'ws', 'package.json'), 'utf8'));
  const [major, minor] = version.split('.').map(Number);
  if (major < 8 || (major === 8 && minor < 23)) throw new Error(`cross-comm gets ws ${version}; it needs 8.23 or newer.`);
}

function leaves(value) {
  return typeof value === 'string' ? [value] : Object.values(value).flatMap(leaves);
}

/** Runs a program; returns what it wrote, or fails with it. */
function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    // a group of its own, so that a time-out ends what the program started, too
    const child = spawn(command, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      process.kill(-child.pid, 'SIGKILL');
    }, STEP_TIMEOUT_MS);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(new Error(`${command} cannot be run: ${error.message}`));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(stdout);
      else reject(new Error(`${basename(command)} ${args.join(' ')} ${isTimedOut ? `took longer than ${STEP_TIMEOUT_MS / 1000} s` : `ended with ${code}`}\n${stdout}${stderr}`));
    });
  });
}

function indent(text) {
  return text.trimEnd().replace(/^/gm, '        ');
}
