import { Module } from '@nestjs/common';
import { CrossCommModule } from 'cross-comm';
import { ClientsController } from './clients.controller.js';
import { Robot } from './robot.js';

@Module({
  imports: [CrossCommModule.forRoot()],
  controllers: [ClientsController],
  providers: [Robot],
})
export class AppModule {}
