import { type DescMessage, type DescService, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import type { MethodDefinition } from '@grpc/grpc-js';

type Methods<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: MethodDefinition<
    MessageShape<Service['method'][Name]['input']>,
    MessageShape<Service['method'][Name]['output']>
  >;
};

/** A generated service as grpc-js wants it, for servers and clients alike. Pure. */
export function buildServiceDefinition<Service extends DescService>(service: Service): Methods<Service> {
  const methods = service.methods.map(({ name, localName, methodKind, input, output }) => [
    localName,
    {
      path: `/${service.typeName}/${name}`,
      requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
      responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
      requestSerialize: serializer(input),
      requestDeserialize: deserializer(input),
      responseSerialize: serializer(output),
      responseDeserialize: deserializer(output),
    },
  ]);
  return Object.fromEntries(methods) as Methods<Service>;
}

function serializer(schema: DescMessage): (message: MessageShape<DescMessage>) => Buffer {
  return (message) => {
    const bytes = toBinary(schema, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function deserializer(schema: DescMessage): (bytes: Buffer) => MessageShape<DescMessage> {
  // Without unknown fields: nobody reads them, and a message that is remembered would keep them.
  return (bytes) => fromBinary(schema, bytes, { readUnknownFields: false });
}
