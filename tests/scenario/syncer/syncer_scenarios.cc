// An agent's syncer under simulated time, with records that can be read: a record is KEY:VALUE/AGE.
//   put KEY [VALUE] ; remove KEY ; sources [listed=A,B] [broken=C] ; leave [withdraw] ; parts BYTES (a new syncer)
//   connect ; disconnect ; welcome [EPOCH] [full] [heartbeat=1s] ; ack SEQUENCE [refused=KEY,..] ; sendfull ; ping
//   targets KEY.. (in ReportSettings; [heartbeat=1s]) ; measured KEY RTT|refused|timeout
//   next [lag=0s]      what it writes now, as EPOCH.SEQUENCE KIND ...; or how long it has nothing to say
//   all                next until there is nothing more
//   advance 1s ; state
#include <gtest/gtest.h>

#include <stdexcept>

#include "agent/report/syncer.h"
#include "common/base/text.h"
#include "common/time/duration_text.h"
#include "tests/support/scenario/scenario.h"

namespace meshdns::test {
namespace {

using report::Syncer;

Duration duration(const std::string& text) { return parse_duration(text).value(); }
std::uint64_t number(const std::string& text) { return parse_uint(text).value(); }

std::uint64_t hash_of(const std::string& key, const std::string& bytes) {
  return std::hash<std::string>{}(key + '\0' + bytes);
}

std::string sources_text(const std::vector<report::SourceState>& sources) {
  std::string out;
  for (const auto& source : sources) out += " " + source.name + (source.listed ? "=listed" : "=" + source.error);
  return out.empty() ? "" : "; sources" + out;
}

class SyncerSubject : public Subject {
 public:
  std::string run(const Command& command) override {
    using Verb = std::string (SyncerSubject::*)(const Command&);
    static const std::map<std::string, Verb> kVerbs = {{"put", &SyncerSubject::put},
                                                       {"remove", &SyncerSubject::remove},
                                                       {"sources", &SyncerSubject::set_sources},
                                                       {"leave", &SyncerSubject::leave},
                                                       {"parts", &SyncerSubject::limit_parts},
                                                       {"connect", &SyncerSubject::connect},
                                                       {"disconnect", &SyncerSubject::disconnect},
                                                       {"welcome", &SyncerSubject::welcome},
                                                       {"ack", &SyncerSubject::ack},
                                                       {"sendfull", &SyncerSubject::send_full},
                                                       {"ping", &SyncerSubject::ping},
                                                       {"targets", &SyncerSubject::targets},
                                                       {"measured", &SyncerSubject::measured},
                                                       {"next", &SyncerSubject::next},
                                                       {"all", &SyncerSubject::all},
                                                       {"advance", &SyncerSubject::advance},
                                                       {"state", &SyncerSubject::state}};
    const auto verb = kVerbs.find(command.words.at(0));
    if (verb == kVerbs.end()) throw std::runtime_error("unknown verb");
    return (this->*verb->second)(command);
  }

 private:
  report::Codec codec() {
    report::Codec out;
    out.encode = [this](const model::Endpoint& endpoint, TimePoint now) {
      const std::string age = duration_text(now - endpoint.health.since);
      return last_encoded_[endpoint.key] = endpoint.key + ":" + endpoint.service + "/" + age;
    };
    out.hash = hash_of;
    return out;
  }

  std::string put(const Command& command) {
    model::Endpoint endpoint;
    endpoint.key = command.words.at(1);
    endpoint.service = command.words.size() > 2 ? command.words[2] : "v1";
    const auto known = syncer_.endpoints().find(endpoint.key);
    const bool same = known != syncer_.endpoints().end() && known->second.service == endpoint.service;
    endpoint.health.since = same ? known->second.health.since : now_;
    syncer_.put(endpoint, now_);
    return "";
  }

  std::string remove(const Command& command) {
    syncer_.remove(command.words.at(1));
    return "";
  }

  std::string set_sources(const Command& command) {
    std::vector<report::SourceState> sources;
    for (const auto& name : command.list("listed")) sources.push_back({name, true, ""});
    for (const auto& name : command.list("broken")) sources.push_back({name, false, "unreadable"});
    syncer_.set_sources(sources);
    return "";
  }

  std::string leave(const Command& command) {
    syncer_.leave(command.has_word("withdraw"));
    return "";
  }

  std::string limit_parts(const Command& command) {
    syncer_ = Syncer(codec(), number(command.words.at(1)));
    return "";
  }

  std::string connect(const Command&) {
    syncer_.connected();
    return "";
  }

  std::string disconnect(const Command&) {
    syncer_.disconnected();
    return "";
  }

  std::string tell(const report::Incoming& message) {
    syncer_.on_message(message, now_);
    return "";
  }

  std::string welcome(const Command& command) {
    report::Welcome message;
    message.epoch = 7;
    if (command.words.size() > 1 && command.words[1] != "full") message.epoch = number(command.words[1]);
    message.want_full = command.has_word("full");
    message.heartbeat = duration(command.option("heartbeat", "1s"));
    return tell(message);
  }

  std::string ack(const Command& command) {
    report::Ack message{number(command.words.at(1)), {}};
    for (const auto& key : command.list("refused")) message.refused.push_back({key, "weight", "too much"});
    return tell(message);
  }

  std::string send_full(const Command&) { return tell(report::SendFull{}); }
  std::string ping(const Command&) { return tell(report::Ping{}); }

  std::string targets(const Command& command) {
    report::ReportSettings message{duration(command.option("heartbeat", "0s")), {}};
    for (std::size_t i = 1; i < command.words.size(); ++i) message.measure.push_back({command.words[i], {}, 5s});
    return tell(message);
  }

  std::string measured(const Command& command) {
    report::Measurement found{command.words.at(1), report::Reach::Connected, {}};
    const std::string& what = command.words.at(2);
    if (what == "refused") {
      found.reach = report::Reach::Refused;
    } else if (what == "timeout") {
      found.reach = report::Reach::Timeout;
    } else {
      found.rtt = duration(what);
    }
    syncer_.measured(found);
    return "";
  }

  std::string advance(const Command& command) {
    now_ += duration(command.words.at(1));
    return "";
  }

  std::string state(const Command&) {
    std::string out = std::string(syncer_.state_name()) + ", epoch " + std::to_string(syncer_.epoch()) + ", acked " +
                      std::to_string(syncer_.acked()) + ", unsent " + std::to_string(syncer_.unsent());
    if (!syncer_.settled()) out += ", wants to leave";
    for (const auto& [key, refusal] : syncer_.refused()) out += "; refused " + key + " " + refusal.field;
    return out + "\n";
  }

  std::string next(const Command& command) {
    const auto message = syncer_.next(now_, duration(command.option("lag", "0s")));
    if (message) return text(*message) + "\n";
    const auto due = syncer_.next_due();
    return due ? "nothing for " + duration_text(*due - now_) + "\n" : "nothing\n";
  }

  std::string all(const Command& command) {
    std::string out;
    for (std::string line = next(command); !line.starts_with("nothing"); line = next(command)) out += line;
    return out.empty() ? "nothing\n" : out;
  }

  /// The records that a digest stands for, if it is of those that the syncer has now.
  std::string digest_text(std::uint64_t digest) const {
    std::string out;
    std::uint64_t sum = 0;
    for (const auto& [key, endpoint] : syncer_.endpoints()) {
      out += " " + last_encoded_.at(key);
      sum += hash_of(key, last_encoded_.at(key));
    }
    return sum == digest ? (out.empty() ? " nothing" : out) : " something else";
  }

  std::string body_text(const report::Hello& hello) const {
    return "hello, last epoch " + std::to_string(hello.last_epoch) + ", acked " + std::to_string(hello.last_acked) +
           ", digest of" + digest_text(hello.digest);
  }
  std::string body_text(const report::Full& full) const {
    std::string out = "full part " + std::to_string(full.part) + (full.last ? ", the last:" : ":");
    for (const auto& bytes : full.endpoints) out += " " + bytes;
    return out + sources_text(full.sources);
  }
  std::string body_text(const report::Delta& delta) const {
    std::string out = "delta";
    for (const auto& bytes : delta.upserts) out += " +" + bytes;
    for (const auto& key : delta.removals) out += " -" + key;
    return out + sources_text(delta.sources);
  }
  std::string body_text(const report::Heartbeat& heartbeat) const {
    const std::string lag =
        heartbeat.loop_lag == Duration::zero() ? "" : "late by " + age_text(heartbeat.loop_lag) + ", ";
    return "heartbeat " + lag + "digest of" + digest_text(heartbeat.digest);
  }
  std::string body_text(const report::Leave& leave) const { return leave.withdraw ? "leave, withdraw" : "leave"; }

  std::string body_text(const report::Measurements& measurements) const {
    std::string out = "measurements";
    for (const auto& found : measurements.results) {
      const bool connected = found.reach == report::Reach::Connected;
      const char* failure = found.reach == report::Reach::Refused ? "refused" : "timeout";
      out += " " + found.key + "=" + (connected ? duration_text(found.rtt) : failure);
    }
    return out;
  }

  std::string text(const report::Outgoing& message) const {
    return std::to_string(message.epoch) + "." + std::to_string(message.sequence) + " " +
           std::visit([this](const auto& body) { return body_text(body); }, message.body);
  }

  std::map<std::string, std::string> last_encoded_;
  TimePoint now_{1h};
  Syncer syncer_{codec()};
};

TEST(Scenario, Syncer) {
  run_scenarios("syncer", [] { return std::make_unique<SyncerSubject>(); });
}

}  // namespace
}  // namespace meshdns::test
