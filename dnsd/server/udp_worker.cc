#include "dnsd/server/udp_worker.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "dnsd/query/answer.h"

namespace meshdns::server {
namespace {

constexpr unsigned kBatch = 32;
constexpr std::size_t kBufferSize = 2048;
constexpr std::size_t kControlSize = 64;  // one in_pktinfo or in6_pktinfo

/// The address that was asked is the one to answer from; the way back is the routing table's to choose, but for
/// link-local addresses, which mean nothing without their interface.
void clear_interface(msghdr& message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      reinterpret_cast<in_pktinfo*>(CMSG_DATA(control))->ipi_ifindex = 0;
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      auto* info = reinterpret_cast<in6_pktinfo*>(CMSG_DATA(control));
      if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr)) info->ipi6_ifindex = 0;
    }
  }
}

}  // namespace

/// Both directions use the same buffers and addresses.
struct UdpWorker::Batch {
  std::array<std::array<std::uint8_t, kBufferSize>, kBatch> buffers;
  std::array<sockaddr_storage, kBatch> peers;
  alignas(cmsghdr) std::array<std::array<std::uint8_t, kControlSize>, kBatch> controls;
  std::array<iovec, kBatch> vectors;
  std::array<mmsghdr, kBatch> messages;
  std::array<mmsghdr, kBatch> outgoing;
  std::array<wire::Query, kBatch> queries;
  std::array<wire::Reading, kBatch> readings;

  void prepare(unsigned count, bool wildcard) {
    for (unsigned i = 0; i < count; ++i) {
      vectors[i] = {buffers[i].data(), kBufferSize};
      msghdr& head = messages[i].msg_hdr;
      head = {};
      head.msg_name = &peers[i];
      head.msg_namelen = sizeof peers[i];
      head.msg_iov = &vectors[i];
      head.msg_iovlen = 1;
      if (!wildcard) continue;
      head.msg_control = controls[i].data();
      head.msg_controllen = kControlSize;
    }
  }
};

UdpWorker::UdpWorker(std::vector<UdpSocket> sockets, const Environment& environment, std::uint64_t seed)
    : sockets_(std::move(sockets)),
      table_(environment.table),
      policy_(environment.policy),
      limiter_(environment.limiter),
      lane_(environment.capture.add_lane()),
      tap_(environment.tap == nullptr ? nullptr : &environment.tap->add_lane()),
      clock_(environment.clock),
      random_(seed),
      batch_(std::make_unique<Batch>()) {}

UdpWorker::~UdpWorker() = default;

void UdpWorker::run(const std::atomic<bool>& stop) {
  batch_->prepare(kBatch, sockets_.front().wildcard);
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
  std::array<pollfd, 64> entries;
  const std::size_t count = std::min(entries.size(), sockets_.size());
  for (std::size_t i = 0; i < count; ++i) entries[i] = {sockets_[i].fd.get(), POLLIN, 0};
  policy_.offline();
  table_.offline();  // an idle worker keeps no old table alive
  if (::poll(entries.data(), count, kReceiveTimeoutMs) <= 0) return;
  for (std::size_t i = 0; i < count; ++i) {
    if (entries[i].revents == 0) continue;
    batch_->prepare(kBatch, sockets_[i].wildcard);
    serve(sockets_[i], MSG_DONTWAIT);
  }
}

void UdpWorker::serve(const UdpSocket& socket, int receive_flags) {
  table_.offline();  // it may wait for long, and must keep no old table alive
  policy_.offline();
  const int count = ::recvmmsg(socket.fd.get(), batch_->messages.data(), kBatch, receive_flags, nullptr);
  if (count <= 0) return;
  const auto received = static_cast<unsigned>(count);
  if (watched()) [[unlikely]] {
    answer_watched_batch(socket, received);
  } else {
    answer_batch(socket, received);
  }
  send_batch(socket, received);
  batch_->prepare(received, socket.wildcard);
}

void UdpWorker::answer_batch(const UdpSocket& socket, unsigned count) {
  const answers::AnswerTable& table = *table_.read();
  const query::Policy& policy = *policy_.read();
  const TimePoint now = clock_.now();
  std::uint8_t asked = 0;  // by any of them
  for (unsigned i = 0; i < count; ++i) {
    const std::span packet(batch_->buffers[i].data(), batch_->messages[i].msg_len);
    batch_->readings[i] = wire::read_query(packet, batch_->queries[i]);
    asked |= batch_->queries[i].edns.asks;
    if (batch_->readings[i] == wire::Reading::Ok) table.prefetch(batch_->queries[i].name.hash);
  }
  const auto unix_seconds = (asked & wire::kAsksCookie) != 0 ? static_cast<std::uint32_t>(clock_.unix_seconds()) : 0;
  for (unsigned i = 0; i < count; ++i) {
    const query::Context context{.table = table,
                                 .client = address_of(batch_->peers[i]),
                                 .listener = socket.listener,
                                 .now = now,
                                 .random = random_,
                                 .counters = counters_,
                                 .policy = policy,
                                 .limiter = &limiter_,
                                 .unix_seconds = unix_seconds};
    batch_->vectors[i].iov_len =
        query::answer_read(batch_->buffers[i].data(), kBufferSize, batch_->readings[i], batch_->queries[i], context);
  }
}

void UdpWorker::answer_watched_batch(const UdpSocket& socket, unsigned count) {
  if (tap_ != nullptr) keep_questions(count);
  answer_batch(socket, count);
  const TimePoint now = clock_.now();
  if (lane_.on()) capture_batch(socket, count, *table_.read(), now);
  if (tap_ != nullptr) tap_batch(socket, count, now);
}

void UdpWorker::keep_questions(unsigned count) {
  asked_.clear();
  for (unsigned i = 0; i < count; ++i) {
    const std::uint8_t* packet = batch_->buffers[i].data();
    asked_.insert(asked_.end(), packet, packet + batch_->messages[i].msg_len);
  }
}

void UdpWorker::tap_batch(const UdpSocket& socket, unsigned count, TimePoint now) {
  std::size_t at = 0;
  for (unsigned i = 0; i < count; ++i) {
    const std::size_t size = batch_->messages[i].msg_len;
    tap_->note({.at = now,
                .client = address_of(batch_->peers[i]),
                .client_port = port_of(batch_->peers[i]),
                .listener = socket.listener,
                .query = std::span(asked_).subspan(at, size),
                .answer = std::span(batch_->buffers[i].data(), batch_->vectors[i].iov_len)});
    at += size;
  }
}

void UdpWorker::capture_batch(const UdpSocket& socket, unsigned count, const answers::AnswerTable& table,
                              TimePoint now) {
  for (unsigned i = 0; i < count; ++i) {
    lane_.note({.message = std::span(batch_->buffers[i].data(), batch_->vectors[i].iov_len),
                .query = batch_->queries[i],
                .client = address_of(batch_->peers[i]),
                .listener = socket.listener,
                .at = now,
                .table = table});
  }
}

void UdpWorker::send_batch(const UdpSocket& socket, unsigned count) {
  unsigned ready = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (batch_->vectors[i].iov_len == 0) continue;
    if (socket.wildcard) clear_interface(batch_->messages[i].msg_hdr);
    batch_->outgoing[ready++] = batch_->messages[i];
  }
  for (unsigned sent = 0; sent < ready;) {
    const int done = ::sendmmsg(socket.fd.get(), batch_->outgoing.data() + sent, ready - sent, 0);
    if (done < 0 && errno == EINTR) continue;
    if (done > 0) {
      sent += static_cast<unsigned>(done);
    } else {
      send_failed_.add();  // the first one could not be sent (no route, port 0, full); the others may
      ++sent;
    }
  }
}

}  // namespace meshdns::server
