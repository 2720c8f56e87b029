#include "agent/probes/tcp_probe.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/probes/connection.h"
#include "agent/probes/failed_probe.h"
#include "common/base/printable.h"

namespace meshdns::probes {
namespace {

constexpr std::size_t kMostAnswer = 64 * 1024;
constexpr std::size_t kShown = 40;  // bytes of an answer in a detail

/// Returns the beginning of a text between quotes, for people.
std::string in_quotes(std::string_view text) {
  const std::string dots = text.size() > kShown ? "..." : "";
  return "\"" + printable(text.substr(0, kShown)) + dots + "\"";
}

}  // namespace

TcpProbe::TcpProbe(process::EventLoop& loop, SocketAddress address, TcpCheck check, TlsClient* tls)
    : loop_(loop), address_(address), check_(std::move(check)), tls_(tls) {}

TcpProbe::~TcpProbe() { stop(); }

void TcpProbe::run(Duration timeout, Done done) {
  stop();
  done_ = std::move(done);
  timeout_ = timeout;
  got_.clear();
  timer_ = loop_.after(timeout, [this] { fail(connect_error(ETIMEDOUT)); });
  connection_ = std::make_unique<Connection>(loop_, address_, check_.tls, tls_);
  connection_->open([this](const std::optional<Error>& error) { error ? fail(*error) : send(); });
}

void TcpProbe::send() {
  if (!check_.expect.empty()) {
    connection_->read([this](const Result<std::string_view>& bytes) { on_bytes(bytes); });
  }
  if (!check_.send.empty()) {
    connection_->write(check_.send, [this](const std::optional<Error>& error) {
      if (!check_.expect.empty()) return;  // reading also says why sending has failed
      error ? fail(*error) : succeed();
    });
  } else if (check_.expect.empty()) {
    succeed();
  }
}

void TcpProbe::on_bytes(const Result<std::string_view>& bytes) {
  if (!bytes) return fail(bytes.error());
  const std::size_t from = got_.size() - std::min(got_.size(), check_.expect.size() - 1);
  got_.append(bytes->substr(0, kMostAnswer - got_.size()));
  if (got_.find(check_.expect, from) != std::string::npos) return succeed();
  if (!bytes->empty() && got_.size() < kMostAnswer) return;
  const std::string what = got_.empty() ? "closed without an answer" : "answered " + in_quotes(got_);
  fail({Code::DataLoss, what + ", expected " + in_quotes(check_.expect)});
}

void TcpProbe::succeed() {
  finish({.outcome = health::Outcome::Success,
          .detail = connection_->certificate_note(),
          .rtt = connection_->handshake_time()});
}

void TcpProbe::fail(const Error& error) { finish(failed_probe(error, timeout_, has_route(address_))); }

/// Ends the attempt with a result. `done` may destroy this probe.
void TcpProbe::finish(const health::ProbeResult& result) { stop()(result); }

/// Ends the attempt, if one is running, and returns its `done`.
Done TcpProbe::stop() {
  if (!done_) return nullptr;
  loop_.cancel(timer_);
  connection_.reset();
  return std::exchange(done_, nullptr);
}

}  // namespace meshdns::probes
