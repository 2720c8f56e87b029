#include "agent/probes/dns_probe.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "agent/probes/datagrams.h"
#include "agent/probes/failed_probe.h"
#include "agent/probes/framed_exchange.h"
#include "common/base/text.h"
#include "common/resolve/server_question.h"

namespace meshdns::probes {
namespace {

using health::Outcome;

/// Returns "it has 10.0.0.1, 10.0.0.2", with the first few addresses.
std::string content_of(const resolve::Reply& reply) {
  constexpr std::size_t kShown = 4;
  if (reply.addresses.empty()) return "it has no addresses";
  std::vector<std::string> out;
  for (const IpAddress& address : reply.addresses) {
    if (out.size() == kShown) {
      out.emplace_back("...");
      break;
    }
    out.push_back(address.text());
  }
  return "it has " + join(out, ", ");
}

health::ProbeResult judge_reply(const DnsCheck& check, const Result<resolve::Reply>& reply) {
  if (!reply) return {Outcome::Failure, reply.error().message()};
  const std::string rcode = resolve::rcode_name(reply->rcode);
  if (rcode != check.rcode) return {Outcome::Failure, rcode + ", expected " + check.rcode};
  if (!check.expect) return {.outcome = Outcome::Success};
  if (reply->truncated) return {Outcome::Failure, "the answer is truncated over TCP too"};
  if (std::ranges::find(reply->addresses, *check.expect) != reply->addresses.end()) {
    return {.outcome = Outcome::Success};
  }
  return {Outcome::Failure, "the answer has no " + check.expect->text() + ": " + content_of(*reply)};
}

}  // namespace

/// A running check; its destructor ends it without a result.
class DnsProbe::Attempt {
 public:
  Attempt(DnsProbe& probe, Duration timeout, Done done) : probe_(probe), timeout_(timeout), done_(std::move(done)) {
    auto question = resolve::write_question(probe.check_.name, probe.check_.type, probe.next_id());
    if (!question) {
      end_soon({Outcome::Unknown, question.error().message()});
      return;
    }
    question_ = std::move(*question);
    timer_ = probe.loop_.after(timeout, [this] { on_timeout(); });
    probe.check_.tcp ? ask_by_tcp() : ask_by_udp();
  }
  ~Attempt() { probe_.loop_.cancel(timer_); }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

 private:
  /// Reports that there is nothing to ask, but not before run() returns.
  void end_soon(const health::ProbeResult& result) {
    timer_ = probe_.loop_.after(Duration::zero(), [this, result] { finish(result); });
  }

  void ask_by_udp() {
    datagrams_.emplace(probe_.loop_, probe_.where_,
                       Datagrams::Events{.received = [this](std::string_view message) { on_datagram(message); },
                                         .failed =
                                             [this](const Error& error) {
                                               if (!stream_) fail(error);
                                             }});
    datagrams_->send(question_);
  }

  void ask_by_tcp() {
    stream_.emplace(probe_.loop_, probe_.where_, question_,
                    [this](const Result<std::string>& message) { on_message(message); });
  }

  void on_datagram(std::string_view message) {
    if (!resolve::is_reply_to(question_, message)) {
      ++strangers_;
      return;
    }
    const auto reply = resolve::read_reply(message, probe_.check_.type);
    if (reply && reply->truncated) {
      // The socket stays open until the end of the attempt: its handler is running. What it still receives is ignored.
      if (!stream_) ask_by_tcp();
      return;
    }
    if (!stream_) finish(judge_reply(probe_.check_, reply));
  }

  void on_message(const Result<std::string>& message) {
    if (!message) return fail(message.error());
    if (!resolve::is_reply_to(question_, *message)) {
      return finish({Outcome::Failure, "what came back is no answer to the question"});
    }
    finish(judge_reply(probe_.check_, resolve::read_reply(*message, probe_.check_.type)));
  }

  void on_timeout() {
    auto result = failed_probe({Code::DeadlineExceeded, "timeout"}, timeout_, has_route(probe_.where_));
    if (strangers_ > 0)
      result.detail += "; " + counted(strangers_, "datagram") + " came that did not answer the question";
    finish(result);
  }

  void fail(const Error& error) { finish(failed_probe(error, timeout_, has_route(probe_.where_))); }

  /// Destroys this attempt before it reports, so that `done` may start the next check or destroy the probe.
  void finish(const health::ProbeResult& result) {
    const Done call = std::move(done_);
    probe_.attempt_.reset();  // deletes this object
    call(result);
  }

  DnsProbe& probe_;
  Duration timeout_;
  Done done_;
  std::string question_;
  std::optional<Datagrams> datagrams_;
  std::optional<FramedExchange> stream_;
  std::uint64_t strangers_ = 0;
  TimerId timer_ = 0;
};

DnsProbe::DnsProbe(process::EventLoop& loop, const SocketAddress& where, DnsCheck check, std::uint64_t seed)
    : loop_(loop), where_(where), check_(std::move(check)), ids_(static_cast<std::minstd_rand::result_type>(seed)) {}

DnsProbe::~DnsProbe() = default;

void DnsProbe::run(Duration timeout, Done done) {
  attempt_.reset();
  attempt_ = std::make_unique<Attempt>(*this, timeout, std::move(done));
}

}  // namespace meshdns::probes
