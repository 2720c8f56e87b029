#include "dnsd/server/udp_worker.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "dnsd/query/answer.h"

namespace meshdns::server {

/// The parsed requests of a batch.
struct UdpWorker::Requests {
  std::array<wire::Query, UdpBatch::kMost> queries;
  std::array<wire::Reading, UdpBatch::kMost> readings;
};

UdpWorker::UdpWorker(std::vector<UdpSocket> sockets, const ServerEnvironment& environment, std::uint64_t seed)
    : sockets_(std::move(sockets)),
      polled_(sockets_.size()),
      table_(environment.table),
      policy_(environment.policy),
      limiter_(environment.limiter),
      lane_(environment.capture.add_lane()),
      tap_(environment.tap == nullptr ? nullptr : &environment.tap->add_lane()),
      clock_(environment.clock),
      pulse_(environment.pulse),
      random_(seed),
      requests_(std::make_unique<Requests>()) {}

UdpWorker::~UdpWorker() = default;

void UdpWorker::run(const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) {
    ticks_.add();
    if (sockets_.size() == 1) {
      serve(sockets_.front(), MSG_WAITFORONE);
    } else {
      poll_all();
    }
  }
}

void UdpWorker::poll_all() {
  for (std::size_t i = 0; i < sockets_.size(); ++i) polled_[i] = {sockets_[i].fd.get(), POLLIN, 0};
  policy_.offline();
  table_.offline();  // an idle worker must not keep an old table alive
  if (::poll(polled_.data(), polled_.size(), kReceiveTimeoutMs) <= 0) return;
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    if (polled_[i].revents == 0) continue;
    serve(sockets_[i], MSG_DONTWAIT);
  }
}

void UdpWorker::serve(const UdpSocket& socket, int receive_flags) {
  table_.offline();  // receiving may block, and must not keep an old table alive
  policy_.offline();
  const unsigned received = batch_.receive(socket.fd.get(), socket.wildcard, receive_flags);
  if (received == 0) return;
  const TimePoint begun = watched() ? answer_watched_batch(socket, received).now : answer_batch(socket, received).now;
  batch_.send(socket.fd.get());
  latency_.add(received, clock_.now() - begun);
}

/// Parses all requests first, so that the table's memory is on its way into the cache when they are answered.
/// returns: the options that any of them asks for (wire::kAsks...)
std::uint8_t UdpWorker::read_batch(unsigned count, const answers::AnswerTable& table) {
  std::uint8_t asked = 0;
  for (unsigned i = 0; i < count; ++i) {
    wire::Query& query = requests_->queries[i];
    requests_->readings[i] = wire::read_query(batch_.request(i), query);
    asked |= query.edns.asks;
    if (requests_->readings[i] == wire::Reading::Ok) table.prefetch(query.name.hash);
  }
  return asked;
}

query::Context UdpWorker::answer_batch(const UdpSocket& socket, unsigned count) {
  const answers::AnswerTable& table = *table_.read();
  const std::uint8_t asked = read_batch(count, table);
  query::Context context{.table = table,
                         .client = {},
                         .listener = socket.listener,
                         .now = clock_.now(),
                         .random = random_,
                         .counters = counters_,
                         .policy = *policy_.read(),
                         .limiter = &limiter_};
  context.stale = pulse_.is_silent(context.now);
  const bool dated = (asked & wire::kAsksCookie) != 0 || table.timed_hosts > 0;
  if (dated) [[unlikely]]
    context.unix_seconds = static_cast<std::uint32_t>(clock_.unix_seconds());
  for (unsigned i = 0; i < count; ++i) {
    context.client = address_of(batch_.peer(i));
    batch_.set_answer(i, query::answer_read(batch_.buffer(i), UdpBatch::kBufferSize, requests_->readings[i],
                                            requests_->queries[i], context));
  }
  return context;
}

query::Context UdpWorker::answer_watched_batch(const UdpSocket& socket, unsigned count) {
  if (tap_ != nullptr) keep_questions(count);
  const query::Context context = answer_batch(socket, count);
  if (lane_.on()) capture_batch(count, context);
  if (tap_ != nullptr) tap_batch(count, context);
  return context;
}

void UdpWorker::keep_questions(unsigned count) {
  asked_.clear();
  for (unsigned i = 0; i < count; ++i) {
    const auto packet = batch_.request(i);
    asked_.insert(asked_.end(), packet.begin(), packet.end());
  }
}

void UdpWorker::tap_batch(unsigned count, const query::Context& context) {
  std::size_t at = 0;
  for (unsigned i = 0; i < count; ++i) {
    const std::size_t size = batch_.request(i).size();
    tap_->note({.at = context.now,
                .client = address_of(batch_.peer(i)),
                .client_port = port_of(batch_.peer(i)),
                .listener = context.listener,
                .query = std::span(asked_).subspan(at, size),
                .answer = batch_.answer(i)});
    at += size;
  }
}

void UdpWorker::capture_batch(unsigned count, const query::Context& context) {
  for (unsigned i = 0; i < count; ++i) {
    lane_.note({.message = batch_.answer(i),
                .query = requests_->queries[i],
                .client = address_of(batch_.peer(i)),
                .listener = context.listener,
                .at = context.now,
                .unix_seconds = context.unix_seconds,
                .table = context.table});
  }
}

}  // namespace meshdns::server
