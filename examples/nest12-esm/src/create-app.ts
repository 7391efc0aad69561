import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { AppModule } from './app.module.js';

/** The application; the adapter is for its own gateway, the hub needs none. */
export async function createApp(options: { readonly quiet?: boolean } = {}): Promise<INestApplication> {
  const app = await NestFactory.create(AppModule, options.quiet === true ? { logger: ['error', 'warn'] } : {});
  app.useWebSocketAdapter(new WsAdapter(app));
  app.enableShutdownHooks();
  return app;
}
