import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

/** A gateway of the application itself; it and the hub share the server and do not disturb each other. */
@WebSocketGateway({ path: '/prices' })
export class PricesGateway {
  @SubscribeMessage('price')
  price(@MessageBody() item: string): { event: string; data: number } {
    return { event: 'price', data: item.length };
  }
}
