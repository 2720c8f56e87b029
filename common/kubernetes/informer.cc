#include "common/kubernetes/informer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/kubernetes/status_codes.h"
#include "common/log/log.h"

namespace meshdns::kubernetes {
Informer::Informer(Client& client, const Clock& clock, Timers& timers, Options options, Consumer consumer)
    : client_(client),
      clock_(clock),
      timers_(timers),
      consumer_(std::move(consumer)),
      path_(options.collection.path),
      longest_line_(options.longest_line),
      random_(static_cast<std::uint32_t>(options.seed)),
      machine_(std::move(options.collection), options.limits,
               [this] { return std::uniform_real_distribution<double>()(random_); }),
      lines_(longest_line_) {}

Informer::~Informer() {
  if (timer_) timers_.cancel(*timer_);
}

Informer::Status Informer::status() const {
  return {machine_.listed(), machine_.last_news(), machine_.problem(), lists_, events_};
}

void Informer::step() {
  for (;;) {
    const auto action = machine_.next(clock_.now());
    if (const auto* pause = std::get_if<WatchMachine::Wait>(&action)) {
      log_problem();
      return wait(pause->until);
    }
    if (const auto* ask = std::get_if<WatchMachine::Ask>(&action)) {
      make(*ask);
    } else {
      call_.cancel();
    }
  }
}

/// Sets the timer, unless one is set that fires earlier: each event moves the end of the silence, and then the timer
/// asks the machine once too often, which is cheaper than a new timer for each event.
void Informer::wait(std::optional<TimePoint> until) {
  if (!until || (timer_ && timer_due_ <= *until)) return;
  if (timer_) timers_.cancel(*timer_);
  timer_due_ = *until;
  timer_ = timers_.after(std::max<Duration>(*until - clock_.now(), Duration::zero()), [this] {
    timer_.reset();
    step();
  });
}

void Informer::make(const WatchMachine::Ask& ask) {
  if (ask.read_token) client_.expire_token();
  Request request;
  request.target = ask.target;
  request.accept = ask.accept;
  if (ask.verb == Verb::List) {
    call_ = client_.send(std::move(request), [this](const Result<Answer>& answer) { list_done(answer); });
    return;
  }
  lines_ = LineSplitter(longest_line_);
  call_ =
      client_.stream(std::move(request), {[this] { accepted(); }, [this](std::string_view bytes) { take_bytes(bytes); },
                                          [this](const Result<Answer>& answer) { watch_done(answer); }});
}

void Informer::accepted() {
  if (const auto notice = machine_.accepted(clock_.now())) tell(*notice);
  step();
}

void Informer::take_bytes(std::string_view bytes) {
  lines_.put(bytes);
  for (;;) {
    const auto line = lines_.next();
    if (!line) machine_.damaged(line.error(), clock_.now());
    if (!line || !*line || !take_line(**line)) break;
  }
  step();
}

bool Informer::take_line(std::string_view line) {
  auto event = parse_watch_event(line);
  if (!event) {
    machine_.damaged(event.error(), clock_.now());
    return false;
  }
  const bool goes_on = !std::holds_alternative<Refusal>(*event);
  if (const auto notice = machine_.take(std::move(*event), clock_.now())) tell(*notice);
  return goes_on;
}

bool Informer::succeeded(const Result<Answer>& answer, TimePoint now) {
  if (answer && answer->status == kOk) return true;
  if (answer) {
    machine_.refused(parse_refusal(answer->status, answer->retry_after, answer->body), now);
  } else {
    machine_.failed(answer.error(), now);
  }
  return false;
}

void Informer::watch_done(const Result<Answer>& answer) {
  const TimePoint now = clock_.now();
  if (!succeeded(answer, now)) return step();
  if (lines_.pending() > 0) {
    machine_.failed(Error(Code::DataLoss, "the watch ended within a line"), now);
  } else {
    machine_.ended(now);
  }
  step();
}

void Informer::list_done(const Result<Answer>& answer) {
  const TimePoint now = clock_.now();
  if (!succeeded(answer, now)) return step();
  if (auto page = parse_page(answer->body); !page) {
    machine_.damaged(page.error(), now);
  } else {
    for (const Notice& notice : machine_.take(std::move(*page), now)) tell(notice);
  }
  step();
}

void Informer::tell(const Notice& notice) {
  lists_ += std::holds_alternative<Listed>(notice) ? 1 : 0;
  events_ += std::holds_alternative<Event>(notice) ? 1 : 0;
  consumer_(notice);
}

void Informer::log_problem() {
  const WatchMachine::Problem& problem = machine_.problem();
  if (problem.text.empty()) {
    if (reminder_.ends()) log::info("kubernetes watch works again", {{"path", path_}});
  } else if (reminder_.due(clock_.now())) {
    log::warn("kubernetes watch fails", {{"path", path_}, {"server", client_.server()}, {"problem", problem.text}});
  }
}

}  // namespace meshdns::kubernetes
