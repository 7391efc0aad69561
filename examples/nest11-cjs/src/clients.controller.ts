import { Controller, Get } from '@nestjs/common';
import { CrossCommService } from 'cross-comm';

/** REST and the hub share one HTTP server. */
@Controller('clients')
export class ClientsController {
  constructor(private readonly crossComm: CrossCommService) {}

  @Get()
  online(): string[] {
    return this.crossComm.getOnlineClients();
  }
}
