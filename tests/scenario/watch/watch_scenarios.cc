// A WatchMachine under simulated time. What the server says within a watch comes as JSON, one byte at a time at the
// smallest sizes.
//   collection PATH [fields=a:b] [metadata] [page=500]    a new machine; at first it is that of the pods of node n1
//   random 0.5      what the random source returns from now on
//   next            what the machine wants: its requests and ends of requests, until it wants to wait
//   accepted ; refused CODE [retry=2s] [MESSAGE..] ; failed MESSAGE.. ; ended
//   page version=9 [items=a,b] [next=TOKEN]
//   added NAME version=9 ; modified ... ; deleted ... ; bookmark version=9 [end]
//   error CODE [retry=2] [MESSAGE..]    an ERROR within the watch
//   line TEXT..     any other line
//   advance 1s ; state
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

#include "common/base/overloaded.h"
#include "common/base/text.h"
#include "common/kubernetes/json_text.h"
#include "common/kubernetes/line_splitter.h"
#include "common/kubernetes/watch_machine.h"
#include "common/time/duration_text.h"
#include "tests/support/scenario/scenario.h"
#include "tests/support/sizes.h"

namespace meshdns::test {
namespace {

using kubernetes::Collection;
using kubernetes::Notice;
using kubernetes::WatchMachine;

Duration duration(const std::string& text) { return parse_duration(text).value(); }

/// The words of a command from one on: a message.
std::string words_from(const Command& command, std::size_t first) {
  std::string out;
  for (std::size_t i = first; i < command.words.size(); ++i) out += (out.empty() ? "" : " ") + command.words[i];
  return out;
}

std::string metadata(const std::string& name, const std::string& version, const std::string& more = "") {
  return R"("metadata":{"name":")" + name + R"(","resourceVersion":")" + version + "\"" + more + "}";
}

class WatchSubject : public Subject {
 public:
  std::string run(const Command& command) override {
    using Verb = std::string (WatchSubject::*)(const Command&);
    static const std::map<std::string, Verb> kVerbs = {{"collection", &WatchSubject::collection},
                                                       {"random", &WatchSubject::set_random},
                                                       {"next", &WatchSubject::next},
                                                       {"accepted", &WatchSubject::accepted},
                                                       {"refused", &WatchSubject::refused},
                                                       {"failed", &WatchSubject::failed},
                                                       {"ended", &WatchSubject::ended},
                                                       {"page", &WatchSubject::page},
                                                       {"added", &WatchSubject::change},
                                                       {"modified", &WatchSubject::change},
                                                       {"deleted", &WatchSubject::change},
                                                       {"bookmark", &WatchSubject::bookmark},
                                                       {"error", &WatchSubject::error},
                                                       {"line", &WatchSubject::line},
                                                       {"advance", &WatchSubject::advance},
                                                       {"state", &WatchSubject::state}};
    const auto verb = kVerbs.find(command.words.at(0));
    if (verb == kVerbs.end()) throw std::runtime_error("unknown verb");
    return (this->*verb->second)(command);
  }

 private:
  WatchMachine machine_of(const Collection& what, std::size_t page) {
    WatchMachine::Limits limits;
    limits.page = page;
    return {what, limits, [this] { return random_; }};
  }

  std::string collection(const Command& command) {
    Collection what{command.words.at(1), command.option("fields"), {}, command.has_word("metadata")};
    machine_.emplace(machine_of(what, parse_uint(command.option("page", "500")).value()));
    return "";
  }

  std::string set_random(const Command& command) {
    random_ = std::stod(command.words.at(1));
    return "";
  }

  std::string next(const Command&) {
    std::string out;
    for (bool waits = false; !waits;) {
      const auto action = machine().next(now_);
      waits = std::holds_alternative<WatchMachine::Wait>(action);
      out += std::visit([this](const auto& what) { return text(what); }, action) + "\n";
    }
    return out;
  }

  std::string text(const WatchMachine::Ask& ask) const {
    std::string out = "GET " + ask.target;
    if (ask.accept != "application/json") out += ", accept " + ask.accept;
    return out + (ask.read_token ? ", with a token read again" : "");
  }
  std::string text(const WatchMachine::Stop&) const { return "end the request"; }
  std::string text(const WatchMachine::Wait& wait) const {
    return wait.until ? "wait " + duration_text(*wait.until - now_) : "wait for the answer";
  }

  std::string accepted(const Command&) {
    lines_ = kubernetes::LineSplitter();
    return text(machine().accepted(now_));
  }

  std::string refused(const Command& command) {
    kubernetes::Refusal refusal;
    refusal.code = static_cast<int>(parse_uint(command.words.at(1)).value());
    refusal.message = words_from(command, 2);
    if (!command.option("retry").empty()) refusal.retry_after = duration(command.option("retry"));
    machine().refused(refusal, now_);
    return "";
  }

  std::string failed(const Command& command) {
    machine().failed(Error(Code::Unavailable, words_from(command, 1)), now_);
    return "";
  }

  std::string ended(const Command&) {
    machine().ended(now_);
    return "";
  }

  std::string page(const Command& command) {
    std::string items;
    for (const auto& name : command.list("items")) items += (items.empty() ? "{" : ",{") + metadata(name, "1") + "}";
    const std::string next = command.option("next");
    const std::string list = next.empty() ? "" : R"(,"continue":")" + next + "\"";
    auto parsed =
        kubernetes::parse_page("{" + metadata("", command.option("version"), list) + ",\"items\":[" + items + "]}");
    std::string out;
    for (const Notice& notice : machine().take(std::move(parsed).value(), now_)) out += text(std::optional(notice));
    return out;
  }

  std::string change(const Command& command) {
    std::string type = command.words.at(0);
    for (char& c : type) c = static_cast<char>(std::toupper(c));
    return feed(R"({"type":")" + type + R"(","object":{)" + metadata(command.words.at(1), command.option("version")) +
                "}}");
  }

  std::string bookmark(const Command& command) {
    const bool ends = command.has_word("end");
    const std::string more = ends ? R"(,"annotations":{"k8s.io/initial-events-end":"true"})" : "";
    return feed(R"({"type":"BOOKMARK","object":{)" + metadata("", command.option("version"), more) + "}}");
  }

  std::string error(const Command& command) {
    const std::string retry = command.option("retry");
    const std::string details = retry.empty() ? "" : R"(,"details":{"retryAfterSeconds":)" + retry + "}";
    return feed(R"({"type":"ERROR","object":{"kind":"Status","message":")" + words_from(command, 2) + R"(","code":)" +
                command.words.at(1) + details + "}}");
  }

  std::string line(const Command& command) { return feed(words_from(command, 1)); }

  std::string feed(const std::string& text_of_line) {
    const std::string bytes = text_of_line + "\n";
    const std::size_t piece = size_or_smallest<std::size_t>(bytes.size(), 1);
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      lines_.put(std::string_view(bytes).substr(at, piece));
      while (const auto found = lines_.next().value()) out += take(*found);
    }
    return out;
  }

  std::string take(std::string_view found) {
    auto event = kubernetes::parse_watch_event(found);
    if (event) return text(machine().take(std::move(*event), now_));
    machine().damaged(event.error(), now_);
    return "";
  }

  static std::string text(const std::optional<Notice>& notice) {
    if (!notice) return "";
    return std::visit(Overloaded{[](const kubernetes::Begin&) { return std::string("-- begin"); },
                                 [](const kubernetes::Listed&) { return std::string("-- listed"); },
                                 [](const kubernetes::Event& event) { return text(event); }},
                      *notice) +
           "\n";
  }
  static std::string text(const kubernetes::Event& event) {
    static const std::map<kubernetes::EventType, std::string> kNames = {
        {kubernetes::EventType::Added, "-- added "},
        {kubernetes::EventType::Modified, "-- modified "},
        {kubernetes::EventType::Deleted, "-- deleted "}};
    const auto* about = kubernetes::object_in(event.object, "metadata");
    return kNames.at(event.type) + std::string(kubernetes::text_in(*about, "name"));
  }

  std::string advance(const Command& command) {
    now_ += duration(command.words.at(1));
    return "";
  }

  std::string state(const Command&) {
    std::string out = machine().listed() ? "listed" : "not listed";
    if (const auto news = machine().last_news()) out += ", last news " + duration_text(now_ - *news) + " ago";
    const auto& problem = machine().problem();
    return out + (problem.text.empty() ? ", well" : ", problem: " + problem.text) + "\n";
  }

  WatchMachine& machine() {
    if (!machine_) machine_.emplace(machine_of({"/api/v1/pods", "spec.nodeName=n1"}, 500));
    return *machine_;
  }

  double random_ = 0.5;
  TimePoint now_{1h};
  std::optional<WatchMachine> machine_;
  kubernetes::LineSplitter lines_;
};

TEST(Scenario, Watch) {
  run_scenarios("watch", [] { return std::make_unique<WatchSubject>(); });
}

}  // namespace
}  // namespace meshdns::test
