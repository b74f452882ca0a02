export type { ClientOptions } from '../client/client.ts';
export type { ComposedMail, DsnWish, MailOptions } from './composed-mail.ts';
export type { PosthornTransport } from './posthorn-transport.ts';
export { posthornTransport } from './posthorn-transport.ts';
export type { SendErrorCode } from './send-error.ts';
export { SendError } from './send-error.ts';
export type { SentMessage } from './sent-message.ts';
