#include "dnsd/dnstap/encoder.h"

#include <chrono>
#include <span>
#include <utility>

namespace meshdns::dnstap {
namespace {

void set(std::string& field, std::span<const std::uint8_t> bytes) {
  field.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::uint64_t whole_seconds(Duration since_1970) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(since_1970).count());
}

std::uint32_t nanoseconds(Duration since_1970) { return static_cast<std::uint32_t>((since_1970 % 1s).count()); }

}  // namespace

Encoder::Encoder(Teller teller) : teller_(std::move(teller)) {
  frame_.set_type(v1::Dnstap::MESSAGE);
  frame_.set_identity(teller_.identity);
  frame_.set_version(teller_.version);
}

v1::Message& Encoder::begin(const server::Exchange& exchange, Duration since_1970) {
  v1::Message& out = *frame_.mutable_message();
  out.Clear();
  out.set_socket_family(exchange.client.is_v4() ? v1::INET : v1::INET6);
  out.set_socket_protocol(exchange.stream ? v1::TCP : v1::UDP);
  set(*out.mutable_query_address(), exchange.client.bytes());
  out.set_query_port(exchange.client_port);
  const SocketAddress& listener = teller_.listeners.at(exchange.listener);
  // a wildcard listener does not know here at which of its addresses it was asked
  if (!listener.ip.is_unspecified()) set(*out.mutable_response_address(), listener.ip.bytes());
  out.set_response_port(listener.port);
  out.set_query_time_sec(whole_seconds(since_1970));
  out.set_query_time_nsec(nanoseconds(since_1970));
  return out;
}

const std::string& Encoder::query(const server::Exchange& exchange, Duration since_1970) {
  v1::Message& out = begin(exchange, since_1970);
  out.set_type(v1::Message::AUTH_QUERY);
  set(*out.mutable_query_message(), exchange.query);
  return finish();
}

const std::string& Encoder::response(const server::Exchange& exchange, Duration since_1970) {
  v1::Message& out = begin(exchange, since_1970);
  out.set_type(v1::Message::AUTH_RESPONSE);
  out.set_response_time_sec(out.query_time_sec());
  out.set_response_time_nsec(out.query_time_nsec());
  set(*out.mutable_response_message(), exchange.answer);
  return finish();
}

const std::string& Encoder::finish() {
  bytes_.clear();
  frame_.AppendToString(&bytes_);
  return bytes_;
}

}  // namespace meshdns::dnstap
