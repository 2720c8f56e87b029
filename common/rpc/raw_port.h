#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <string>

#include "common/rpc/reactors.h"

namespace meshdns::rpc {

/// An encoded message, shared by any number of streams.
using SharedBytes = std::shared_ptr<const std::string>;
using RawServerStream = ServerStream<grpc::ByteBuffer, grpc::ByteBuffer>;

/// Returns a buffer that refers to the shared bytes without a copy, and keeps them alive.
grpc::ByteBuffer buffer_of(const SharedBytes& bytes);
/// Returns the content of a buffer as one string.
std::string bytes_of(const grpc::ByteBuffer& buffer);

/// A Port that sends encoded messages as they are, over a raw stream. Used for Watch, where many streams share a batch.
class RawPort : public Port<SharedBytes> {
 public:
  explicit RawPort(std::shared_ptr<RawServerStream::Stream> stream) : stream_(std::move(stream)) {}

  void send(SharedBytes message) override { stream_->send(buffer_of(message)); }
  void read_next() override { stream_->read_next(); }
  bool drained() const override { return stream_->drained(); }
  void close() override { stream_->close(); }
  void abort() override { stream_->abort(); }

 private:
  std::shared_ptr<RawServerStream::Stream> stream_;
};

}  // namespace meshdns::rpc
