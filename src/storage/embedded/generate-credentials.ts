import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CrossCommError } from '../../protocol/index.js';
import { syncDirectory } from './blob-file.js';

/** The key pair of the embedded store. */
export interface StoreCredentials {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
}

const FILE_NAME = 'embedded-store.json';

/**
 * The store's keys: read from `<directory>/embedded-store.json`, or generated and written there (mode 0600) at the
 * first start. Two processes that start at once end with the same keys.
 *
 * @throws CrossCommError `CC_INVALID_OPTION` when the file is there but not valid; it is never overwritten
 */
export async function loadOrGenerateCredentials(directory: string): Promise<StoreCredentials> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, FILE_NAME);
  const existing = await readCredentials(path);
  if (existing) return existing;
  const fresh: StoreCredentials = {
    accessKeyId: `CC${randomBytes(11).toString('hex').toUpperCase()}`,
    accessKeySecret: randomBytes(30).toString('base64url'),
  };
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(temporary, `${JSON.stringify(fresh, undefined, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
    await link(temporary, path); // unlike rename, fails when another process was first
    await syncDirectory(directory); // they are about to be printed, and copied to clients
    return fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return (await readCredentials(path)) as StoreCredentials;
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * The four lines a client puts into its `.env` to use the embedded store, the Python one included.
 * `endpoint` is e.g. `http://127.0.0.1:9898`; prefer an IP address: for names, Python's oss2 puts the bucket in front.
 */
export function credentialLines(endpoint: string, bucket: string, credentials: StoreCredentials): readonly string[] {
  return [
    `OSS_ENDPOINT=${endpoint}`,
    `OSS_BUCKET_NAME=${bucket}`,
    `OSS_ACCESS_KEY_ID=${credentials.accessKeyId}`,
    `OSS_ACCESS_KEY_SECRET=${credentials.accessKeySecret}`,
  ];
}

async function readCredentials(path: string): Promise<StoreCredentials | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const value = parse(text);
  if (!value?.accessKeyId || !value.accessKeySecret || typeof value.accessKeyId !== 'string' || typeof value.accessKeySecret !== 'string')
    throw new CrossCommError('CC_INVALID_OPTION', `"${path}" holds no accessKeyId and accessKeySecret; correct or remove it.`);
  await chmod(path, 0o600); // it may have been copied from somewhere less careful
  return { accessKeyId: value.accessKeyId, accessKeySecret: value.accessKeySecret };
}

function parse(text: string): Partial<StoreCredentials> | undefined {
  try {
    return JSON.parse(text) as Partial<StoreCredentials>;
  } catch {
    return undefined; // reported by the caller, with the path
  }
}
