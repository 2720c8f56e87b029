#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "common/rpc/stream_port.h"

namespace meshdns::rpc {

/// Converts a gRPC status to an Error; the codes have the same names.
Error error_of(const grpc::Status& status);

/// The server's end of a bidirectional stream: gRPC's reactor, which forwards to a StreamPort. Deletes itself when gRPC
/// is done with it; the port lives on as long as the session keeps it.
template <class In, class Out>
class ServerStream : public grpc::ServerBidiReactor<In, Out> {
 public:
  using Stream = StreamPort<ServerStream, In, Out>;

  ServerStream(grpc::CallbackServerContext* context, Post post)
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

/// The client's end of a bidirectional stream; otherwise like ServerStream. Call start() after the stub has bound the
/// stream to a call.
template <class In, class Out>
class ClientStream : public grpc::ClientBidiReactor<Out, In> {
 public:
  using Stream = StreamPort<ClientStream, In, Out>;

  explicit ClientStream(Post post) : port_(std::make_shared<Stream>(*this, std::move(post))) {}

  const std::shared_ptr<Stream>& port() const { return port_; }
  grpc::ClientContext& context() { return context_; }
  /// Starts the call. gRPC requires a hold, because reads and writes start on the control thread and not inside a
  /// reaction; finish() removes the hold.
  void start() {
    this->AddHold();
    this->StartCall();
  }
  void cancel() { context_.TryCancel(); }
  void finish() {
    context_.TryCancel();  // a read may be pending, which would keep the call open until the server sends something
    this->RemoveHold();
  }

  void OnReadDone(bool ok) override { port_->on_read_done(ok); }
  void OnWriteDone(bool ok) override { port_->on_write_done(ok); }
  void OnDone(const grpc::Status& status) override {
    const auto port = port_;
    const Error error = error_of(status);
    port->on_reactor_gone();
    // Delete before `closed` is posted: the context holds the channel. If `closed` ran first and released the session's
    // reference, the channel would be destroyed here, on gRPC's own thread.
    delete this;
    port->on_done(error);
  }

 private:
  grpc::ClientContext context_;
  std::shared_ptr<Stream> port_;
};

/// Opens a stream from the client's side.
/// post:    as for StreamPort
/// call:    binds the stream to a call of a stub: stub.async()->Watch(context, stream)
/// returns: the session's end of the stream
template <class In, class Out, class Call>
std::shared_ptr<Port<Out>> open_stream(Post post, StreamEvents<In> events, Call call) {
  auto* stream = new ClientStream<In, Out>(std::move(post));  // deletes itself
  const auto port = stream->port();
  port->set_events(std::move(events));
  call(&stream->context(), stream);
  stream->start();
  return port;
}

}  // namespace meshdns::rpc
