import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CrossCommOptions } from './cross-comm.options.js';

/** What may stand beside the options in `forRoot` and `forRootAsync`. */
export interface CrossCommModuleExtras {
  /** Whether `CrossCommService` can be injected without importing the module again. Default false. */
  readonly isGlobal?: boolean;
}

/** `forRoot`, `forRootAsync` (useFactory, useClass, useExisting with `createCrossCommOptions()`). */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: CROSS_COMM_OPTIONS, OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<CrossCommOptions>({ moduleName: 'CrossComm' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createCrossCommOptions')
    .setExtras<CrossCommModuleExtras>({ isGlobal: false }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal ?? false }))
    .build();

/** A class that makes the options, for `useClass` and `useExisting`. */
export interface CrossCommOptionsFactory {
  createCrossCommOptions(): CrossCommOptions | Promise<CrossCommOptions>;
}
