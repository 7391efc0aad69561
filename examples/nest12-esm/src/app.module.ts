import { Module } from '@nestjs/common';
import { CrossCommModule } from 'cross-comm';
import { Archive } from './archive.js';
import { PricesGateway } from './prices.gateway.js';

@Module({
  imports: [
    CrossCommModule.forRootAsync({
      useFactory: () => ({
        path: '/hub',
        dataDir: process.env['DATA_DIR'] ?? './cross-comm-data',
      }),
    }),
  ],
  providers: [Archive, PricesGateway],
})
export class AppModule {}
