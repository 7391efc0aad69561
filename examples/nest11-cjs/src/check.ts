import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { CommMsgType, CrossCommClient } from 'cross-comm/sdk';
import { deepStrictEqual, strictEqual } from 'node:assert';
import type { AddressInfo } from 'node:net';
import { AppModule } from './app.module.js';

/** Starts the application on a free port, sends a text to the server and awaits the robot's answer. */
async function check(): Promise<void> {
  strictEqual(typeof require, 'function', 'this example runs as CommonJS');
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const client = new CrossCommClient({ url: `ws://127.0.0.1:${port}`, clientId: 'alice' });
  try {
    const answer = new Promise<unknown>((resolve) => client.onMessage(CommMsgType.TEXT, ({ content }) => resolve(content)));
    await client.login();
    await client.sendMessage('hello', CommMsgType.TEXT, 'server');
    strictEqual(await answer, 'got hello');
    const online: unknown = await (await fetch(`http://127.0.0.1:${port}/clients`)).json();
    deepStrictEqual(online, ['alice']);
  } finally {
    await client.logout();
    await app.close();
  }
  console.log('nest11-cjs: ok');
}

const watchdog = setTimeout(() => {
  console.error('nest11-cjs: no answer within 20 s');
  process.exit(1);
}, 20_000);
check().then(
  () => clearTimeout(watchdog),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
