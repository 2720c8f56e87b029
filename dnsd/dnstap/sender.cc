#include "dnsd/dnstap/sender.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "common/base/check.h"
#include "common/log/log.h"

namespace meshdns::dnstap {
namespace {

constexpr std::size_t kAtOnce = 256;  // exchanges taken from a lane at a time
constexpr int kMostAtEnd = 256;       // rounds at the end: more exchanges than a lane can hold
constexpr int kPauseMs = 10;          // a lane has room for everything that is answered in this time

}  // namespace

Sender::Sender(std::string socket, Teller teller, server::Tap& tap, const Clock& clock, Since1970 since_1970)
    : socket_(std::move(socket)),
      tap_(tap),
      clock_(clock),
      since_1970_(std::move(since_1970)),
      encoder_(std::move(teller)),
      frames_(Stream::kMostFrames),
      end_(::eventfd(0, EFD_CLOEXEC)) {}

Result<std::unique_ptr<Sender>> Sender::start(std::string socket, Teller teller, server::Tap& tap, const Clock& clock,
                                              Since1970 since_1970) {
  std::unique_ptr<Sender> sender(new Sender(std::move(socket), std::move(teller), tap, clock, std::move(since_1970)));
  if (!sender->end_) return Error(Code::ResourceExhausted, std::strerror(errno));
  try {
    sender->thread_ = std::thread([at = sender.get()] { at->run(); });
  } catch (const std::system_error& error) {
    return Error(Code::ResourceExhausted, error.what());
  }
  return sender;
}

Sender::~Sender() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  MESHDNS_CHECK(::write(end_.get(), &one, sizeof one) == sizeof one);
  thread_.join();
}

void Sender::run() {
  pollfd end{end_.get(), POLLIN, 0};
  while (::poll(&end, 1, 0) == 0) {
    if (!stream_) connect();
    const std::size_t count = send_some();
    watch_room();
    if (count == 0) wait();
  }
  for (int i = 0; i < kMostAtEnd && send_some() > 0; ++i) {
  }
  stream_.reset();
}

void Sender::connect() {
  const TimePoint now = clock_.now();
  if (tried_ && now - *tried_ < kRetry) return;
  auto stream = Stream::open(socket_);
  tried_ = clock_.now();
  if (!stream) return disconnected(stream.error().message());
  stream_ = std::move(*stream);
  told_ = false;
  connected_.store(true, std::memory_order_relaxed);
  log::info("dnstap connected", {{"socket", socket_}});
}

void Sender::disconnected(const std::string& why) {
  stream_.reset();
  connected_.store(false, std::memory_order_relaxed);
  if (std::exchange(told_, true)) return;
  log::warn("dnstap not connected: messages are dropped", {{"socket", socket_}, {"problem", why}});
}

std::size_t Sender::send_some() {
  // exchanges carry times of the monotonic clock
  const Duration wall = since_1970_() - clock_.now().time_since_epoch();
  const std::size_t count = tap_.drain(kAtOnce, [&](const server::Exchange& exchange) {
    if (!stream_) {
      lost_.fetch_add(exchange.messages(), std::memory_order_relaxed);
      return;
    }
    const Duration at = wall + exchange.at.time_since_epoch();
    frames_[count_++] = encoder_.query(exchange, at);
    if (!exchange.answer.empty()) frames_[count_++] = encoder_.response(exchange, at);
    if (count_ + 2 > frames_.size()) flush();
  });
  flush();
  return count;
}

void Sender::flush() {
  if (count_ == 0) return;
  const std::size_t count = std::exchange(count_, 0);
  if (stream_->write(std::span(frames_).first(count))) {
    sent_.fetch_add(count, std::memory_order_relaxed);
    return;
  }
  lost_.fetch_add(count, std::memory_order_relaxed);
  disconnected("the receiver takes nothing any more");
}

void Sender::watch_room() {
  const std::uint64_t missed = tap_.missed();
  const TimePoint now = clock_.now();
  if (std::exchange(missed_, missed) != missed) {
    const bool begins = !overrun_;
    overrun_ = now;
    if (begins) log::warn("dnstap receiver too slow: messages are dropped", {{"socket", socket_}});
  } else if (overrun_ && now - *overrun_ >= kQuiet) {
    overrun_.reset();
    log::info("dnstap receiver fast enough again", {{"socket", socket_}, {"dropped", dropped()}});
  }
}

void Sender::wait() {
  std::array<pollfd, 2> entries{pollfd{end_.get(), POLLIN, 0}, pollfd{-1, POLLIN, 0}};
  if (stream_) entries[1].fd = stream_->descriptor();
  ::poll(entries.data(), entries.size(), kPauseMs);
  if (entries[1].revents != 0) disconnected("the receiver has gone");
}

}  // namespace meshdns::dnstap
