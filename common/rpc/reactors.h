#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <string>
#include <utility>

#include "common/rpc/stream_port.h"

namespace meshdns::rpc {

/// gRPC's codes are ours, by name.
Error error_of(const grpc::Status& status);

/// The server's end of a stream.
template <class In, class Out>
class ServerStream : public grpc::ServerBidiReactor<In, Out> {
 public:
  using Stream = StreamPort<ServerStream, In, Out>;

  ServerStream(grpc::CallbackServerContext* context, typename Stream::Post post)
      : context_(context), port_(std::make_shared<Stream>(*this, std::move(post))) {}

  const std::shared_ptr<Stream>& port() const { return port_; }
  void cancel() { context_->TryCancel(); }
  void finish() { this->Finish(grpc::Status::OK); }

  void OnReadDone(bool ok) override { port_->on_read_done(ok); }
  void OnWriteDone(bool ok) override { port_->on_write_done(ok); }
  void OnCancel() override { port_->on_cancel(); }
  void OnDone() override {
    const auto port = port_;
    port->on_reactor_gone();
    delete this;
    port->on_done(Error(Code::Unavailable, "the stream ended"));
  }

 private:
  grpc::CallbackServerContext* context_;
  std::shared_ptr<Stream> port_;
};

/// The client's end of a stream. start() after `open` has bound it to a call.
template <class In, class Out>
class ClientStream : public grpc::ClientBidiReactor<Out, In> {
 public:
  using Stream = StreamPort<ClientStream, In, Out>;

  explicit ClientStream(typename Stream::Post post) : port_(std::make_shared<Stream>(*this, std::move(post))) {}

  const std::shared_ptr<Stream>& port() const { return port_; }
  grpc::ClientContext& context() { return context_; }
  /// Operations start from the control thread, outside of reactions: the hold keeps the call until finish().
  void start() {
    this->AddHold();
    this->StartCall();
  }
  void cancel() { context_.TryCancel(); }
  void finish() {
    context_.TryCancel();  // a read may be outstanding, and the server may never speak again
    this->RemoveHold();
  }

  void OnReadDone(bool ok) override { port_->on_read_done(ok); }
  void OnWriteDone(bool ok) override { port_->on_write_done(ok); }
  void OnDone(const grpc::Status& status) override {
    const auto port = port_;
    const Error error = error_of(status);
    port->on_reactor_gone();
    // before `closed` is told: the context holds the channel, which must not be destroyed on gRPC's own thread
    delete this;
    port->on_done(error);
  }

 private:
  grpc::ClientContext context_;
  std::shared_ptr<Stream> port_;
};

}  // namespace meshdns::rpc
