import { randomBytes } from 'node:crypto';

/** One message with the seven keys as it travels, content left open. */
export interface WireFrame {
  readonly msg_id: string;
  readonly from_client_id: string;
  readonly to_client_id: string;
  readonly msg_type: string;
  readonly content: unknown;
  readonly timestamp: number;
  readonly oss_key: string | null;
  readonly ext?: unknown;
}

/** A frame with the seven keys; what is not given is made up. */
export function wireFrame(given: Partial<WireFrame> & { readonly from_client_id: string }): WireFrame {
  const { from_client_id } = given;
  return {
    msg_id: `${from_client_id}_${Date.now()}_${randomBytes(4).toString('hex')}`,
    to_client_id: 'server',
    msg_type: 'text',
    content: '',
    timestamp: Date.now() / 1000,
    oss_key: null,
    ...given,
  };
}

/** The content with which a client announces protocol 2. */
export function announcing(limits?: { readonly max_message_bytes: number }): unknown {
  return { cross_comm: { protocol: 2, features: ['errors', 'ext'], ...(limits === undefined ? {} : { limits }) } };
}

/** The text of a frame whose content is spelt exactly so. */
export function frameTextWithContent(from: string, to: string, contentText: string, msgType = 'dict'): string {
  return `{"msg_id": "m-${randomBytes(4).toString('hex')}", "from_client_id": "${from}", "to_client_id": "${to}", "msg_type": "${msgType}", "content": ${contentText}, "timestamp": 1795220314.8697875, "oss_key": null}`;
}
