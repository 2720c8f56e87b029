#include "agent/app/container_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "common/base/printable.h"
#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/kubernetes/json_text.h"
#include "common/log/log.h"
#include "common/model/sources.h"

namespace meshdns::agent::app {
namespace {

constexpr int kOk = 200;
constexpr int kNotFound = 404;
constexpr std::size_t kLongestMessage = 200;  // of a refusal, as it is shown
constexpr std::size_t kLongestRefusal = 4096;

// A container that is paused, or waits for its HEALTHCHECK, is still there. Values of a query in %XX where they need
// it.
constexpr const char* kRunning = "/containers/json?filters=%7B%22status%22%3A%5B%22running%22%2C%22paused%22%5D%7D";
constexpr const char* kEvents = "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D&since=";

/// Returns the message of an answer that refuses: both engines send {"message": "..."}.
std::string refusal(int status, const std::string& body) {
  const auto object = kubernetes::parse_object(body);
  const std::string_view message = object ? kubernetes::text_in(*object, "message") : std::string_view();
  const std::string text = printable(trim(message).substr(0, kLongestMessage));
  return "status " + std::to_string(status) + (text.empty() ? "" : ": " + text);
}

/// Whether an id can be a part of a path.
bool is_id(const std::string& id) {
  return !id.empty() && id.size() <= 128 &&
         std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

ContainerSource::ContainerSource(process::EventLoop& loop, const Clock& clock, std::vector<std::string> sockets,
                                 discovery::Defaults defaults, const Limits& limits, std::function<void()> changed)
    : loop_(loop),
      clock_(clock),
      sockets_(std::move(sockets)),
      defaults_(std::move(defaults)),
      limits_(limits),
      changed_(std::move(changed)),
      lines_(limits.longest_event),
      backoff_(random_seed()) {}

ContainerSource::~ContainerSource() {
  if (timer_) loop_.cancel(*timer_);
  if (publish_timer_) loop_.cancel(*publish_timer_);
}

void ContainerSource::start() { begin(); }

std::string_view ContainerSource::name() const { return model::kContainerSource; }

void ContainerSource::set_defaults(discovery::Defaults defaults) {
  defaults_ = std::move(defaults);
  publish_soon();
}

void ContainerSource::begin() {
  const auto exists = [](const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0;
  };
  const auto found = std::ranges::find_if(sockets_, exists);
  socket_ = found == sockets_.end() ? sockets_.front() : *found;
  version_.clear();
  ask("/version", [this](const std::string& body) { take_version(body); });
}

void ContainerSource::take_version(const std::string& body) {
  const auto read = discovery::read_engine_version(body);
  if (!read) return fail("GET /version: " + read.error().message());
  engine_ = printable(read->engine);
  version_ = "/v" + discovery::api_version(*read);
  follow_events();
  list_due_ = true;
  step();
}

void ContainerSource::follow_events() {
  lines_ = kubernetes::LineSplitter(limits_.longest_event);
  events_status_ = 0;
  events_body_.clear();
  events_asked_ = clock_.now();
  const auto ended = [this](const Result<void>& result) {
    const std::string why = events_status_ == kOk ? "the server has ended them" : refusal(events_status_, events_body_);
    fail("GET /events: " + (result ? why : result.error().message()));
  };
  events_ = std::make_unique<http::StreamedGet>(
      loop_, socket_, version_ + kEvents + std::to_string(clock_.unix_seconds()),
      http::StreamedGet::Limits{.whole = std::nullopt},
      http::StreamedGet::Handlers{[this](int status) {
                                    events_status_ = status;
                                    step();
                                  },
                                  [this](std::string_view bytes) { take_events(bytes); }, ended});
}

void ContainerSource::take_events(std::string_view bytes) {
  if (events_status_ != kOk) {
    events_body_ += bytes.substr(0, kLongestRefusal - std::min(kLongestRefusal, events_body_.size()));
    return;
  }
  lines_.put(bytes);
  bool has_changed = false;
  for (;;) {
    const auto line = lines_.next();
    if (!line) return fail("GET /events: " + line.error().message());
    if (!*line) break;
    const auto event = discovery::read_container_event(**line);
    if (!event) return fail("GET /events: " + event.error().message());
    ++events_count_;
    has_changed = store_.take_event(*event) || has_changed;
  }
  if (has_changed) publish_soon();
  step();
}

void ContainerSource::step() {
  if (request_ || events_ == nullptr) return;
  if (std::exchange(list_due_, false)) return ask_for_list();
  if (const auto id = store_.next()) return inspect(*id);
  settled();
}

void ContainerSource::ask_for_list() {
  ask(version_ + kRunning, [this](const std::string& body) { take_list(body); });
}

void ContainerSource::take_list(const std::string& body) {
  auto ids = discovery::read_container_list(body);
  if (!ids) return fail("GET /containers/json: " + ids.error().message());
  const auto wrong = std::ranges::find_if_not(*ids, is_id);
  if (wrong != ids->end()) return fail("GET /containers/json: no id of a container: " + printable(*wrong));
  store_.take_list(*ids);
  step();
}

void ContainerSource::inspect(const std::string& id) {
  const auto take = [this](const Result<std::optional<discovery::Container>>& container) {
    if (store_.take(container)) publish_soon();
    step();
  };
  if (!is_id(id)) return take(std::optional<discovery::Container>());  // of an event
  ask(
      version_ + "/containers/" + id + "/json",
      [take](const std::string& body) {
        auto read = discovery::read_container(body);
        if (!read) return take(read.error());
        take(std::optional(std::move(*read)));
      },
      [take] { take(std::optional<discovery::Container>()); });
}

void ContainerSource::settled() {
  if (settled_) return;
  if (events_status_ != kOk) {
    const Duration left = events_asked_ + limits_.silence - clock_.now();
    if (events_status_ == 0 && left > Duration::zero()) wait(left, [this] { step(); });
    if (events_status_ != 0 || left > Duration::zero()) return;  // a refusal ends this connection soon
  }
  settled_ = true;
  wait(limits_.relist, [this] {
    list_due_ = true;
    settled_ = false;
    step();
  });
  if (std::exchange(listed_, true)) return;
  up_since_ = clock_.now();
  known_ = true;
  problem_.clear();
  log::info("containers listed",
            {{"socket", socket_}, {"engine", engine_}, {"containers", store_.containers().size()}});
  publish_soon();
}

void ContainerSource::ask(const std::string& target, Done done, std::function<void()> missing) {
  status_ = 0;
  body_.clear();
  http::StreamedGet::Limits limits;
  limits.whole = version_.empty() ? limits_.first_patience : limits_.patience;
  const auto take = [this, target](std::string_view bytes) {
    if (body_.size() + bytes.size() > limits_.longest_answer) {
      return fail("GET " + target + ": the answer is longer than " + std::to_string(limits_.longest_answer) + " bytes");
    }
    body_ += bytes;
  };
  request_ = std::make_unique<http::StreamedGet>(
      loop_, socket_, target, limits,
      http::StreamedGet::Handlers{[this](int status) { status_ = status; }, take,
                                  [this, target, done = std::move(done), missing = std::move(missing)](
                                      const Result<void>& result) { answered(target, result, done, missing); }});
}

void ContainerSource::answered(const std::string& target, const Result<void>& result, const Done& done,
                               const std::function<void()>& missing) {
  const auto over = std::move(request_);  // it holds what is called here
  const std::string path = "GET " + target.substr(0, target.find('?'));
  if (!result) return fail(path + ": " + result.error().message());
  const std::string body = std::exchange(body_, {});
  if (status_ == kOk) return done(body);
  if (status_ == kNotFound && missing) return missing();
  fail(path + ": " + refusal(status_, body));
}

void ContainerSource::fail(const std::string& problem) {
  request_.reset();
  events_.reset();
  store_.interrupted();
  list_due_ = false;
  if (up_since_ && clock_.now() - *up_since_ >= limits_.lasting) backoff_.succeeded();
  up_since_.reset();
  settled_ = false;
  ++failures_;
  problem_ = socket_ + ": " + problem;
  listed_ = false;
  wait(backoff_.next(), [this] { begin(); });
  publish_soon();
}

void ContainerSource::wait(Duration delay, std::function<void()> then) {
  if (timer_) loop_.cancel(*timer_);
  timer_ = loop_.after(delay, [this, then = std::move(then)] {
    timer_.reset();
    then();
  });
}

/// Publishes soon: changes that have come together count together.
void ContainerSource::publish_soon() {
  if (publish_timer_) return;
  publish_timer_ = loop_.after(Duration::zero(), [this] {
    publish_timer_.reset();
    publish();
  });
}

void ContainerSource::publish() {
  if (known_) listing_ = discovery::endpoints_of(store_.containers(), defaults_);
  changed_();
}

discovery::SourceState ContainerSource::state() const {
  discovery::SourceState out{listed_, problem_};
  const auto add = [&out](const std::string& problem) { out.error += (out.error.empty() ? "" : "\n") + problem; };
  for (const std::string& problem : listing_.problems) add(problem);
  for (const auto& [id, problem] : store_.problems()) add(problem);
  return out;
}

void ContainerSource::collect(std::vector<metrics::Sample>& out) const {
  metrics::gauge(out, "meshdns_agent_containers_listed", "1 while the API of Docker or Podman tells of all containers",
                 {}, listed_ ? 1.0 : 0.0);
  metrics::gauge(out, "meshdns_agent_containers", "containers with labels of meshdns", {},
                 static_cast<double>(store_.containers().size()));
  metrics::count(out, "meshdns_agent_container_events_total", "events that the API has sent", {}, events_count_);
  metrics::count(out, "meshdns_agent_container_failures_total", "connections to the API that failed or broke", {},
                 failures_);
}

}  // namespace meshdns::agent::app
