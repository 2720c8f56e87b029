#include "dnsd/lease/lease.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/printable.h"
#include "common/kubernetes/collection.h"
#include "common/kubernetes/json_text.h"
#include "common/kubernetes/refusal.h"
#include "common/kubernetes/status_codes.h"
#include "common/log/log.h"

namespace meshdns::lease {
namespace {

/// A request that is not answered soon is made again: the lease runs out meanwhile.
kubernetes::Client::Limits quick() {
  kubernetes::Client::Limits out;
  out.connect = 1s;
  out.handshake = 1s;
  out.head = 1s;
  out.body = 1s;
  out.longest_body = std::size_t{1} << 20;
  return out;
}

}  // namespace

Lease::Lease(process::EventLoop& loop, const Clock& clock, Options options, Events events)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      events_(std::move(events)),
      collection_("/apis/coordination.k8s.io/v1/namespaces/" + kubernetes::percent_encoded(options_.namespace_) +
                  "/leases"),
      machine_(options_.identity, options_.limits),
      client_(loop, clock, options_.server, quick()) {}

Lease::~Lease() {
  if (timer_) loop_.cancel(*timer_);
}

void Lease::release(std::function<void()> done) {
  released_ = std::move(done);
  machine_.release();
  step();
}

void Lease::step() {
  const std::string path = collection_ + "/" + kubernetes::percent_encoded(options_.name);
  const auto action = machine_.next(clock_.now(), clock_.unix_millis() * 1000);
  tell();
  if (const auto* create = std::get_if<LeaseMachine::Create>(&action)) {
    send("POST", collection_, "create", &create->record);
  } else if (const auto* update = std::get_if<LeaseMachine::Update>(&action)) {
    send("PUT", path, "update", &update->record);
  } else if (std::holds_alternative<LeaseMachine::Read>(action)) {
    send("GET", path, "get", nullptr);
  }
  if (const auto* pause = std::get_if<LeaseMachine::Wait>(&action)) return wait(pause->until);
  step();  // wait for the answer, or for the end of the own time
}

void Lease::wait(std::optional<TimePoint> until) {
  if (timer_) loop_.cancel(*timer_);
  timer_.reset();
  if (!until) return;
  timer_ = loop_.after(std::max<Duration>(*until - clock_.now(), Duration::zero()), [this] {
    timer_.reset();
    step();
  });
}

void Lease::send(const char* method, const std::string& path, const char* verb, const LeaseRecord* record) {
  kubernetes::Request request;
  request.method = method;
  request.target = path;
  if (record != nullptr) request.body = lease_text(*record, options_.namespace_, options_.name, last_);
  call_ = client_.send(std::move(request),
                       [this, verb, writes = record != nullptr](const Result<kubernetes::Answer>& answered) {
                         answer(answered, writes, verb);
                       });
}

void Lease::answer(const Result<kubernetes::Answer>& answer, bool writes, const char* verb) {
  const TimePoint now = clock_.now();
  if (!answer) {
    machine_.failed(answer.error().message(), now);
  } else if (answer->status == kubernetes::kOk || answer->status == kubernetes::kCreated) {
    take(*answer, writes);
  } else if (answer->status == kubernetes::kConflict) {
    machine_.conflict(now);
  } else if (answer->status == kubernetes::kNotFound && std::string_view(verb) != "create") {
    // of a creation it would mean that there is no such namespace
    last_.clear();
    machine_.missing(now);
  } else {
    if (answer->status == kubernetes::kUnauthorized) client_.expire_token();
    const auto why = kubernetes::parse_refusal(answer->status, answer->retry_after, answer->body);
    const std::string rule =
        answer->status != kubernetes::kForbidden
            ? ""
            : "; the role needs a rule apiGroups: [coordination.k8s.io], resources: [leases], verbs: [" +
                  std::string(verb) + "]";
    machine_.failed(why.text() + rule, now, why.retry_after);
  }
  log_problem();
  step();
}

void Lease::take(const kubernetes::Answer& answer, bool writes) {
  const TimePoint now = clock_.now();
  auto object = kubernetes::parse_object(answer.body);
  const auto record = object ? parse_lease(*object) : Result<LeaseRecord>(object.error());
  if (!record) return machine_.failed(record.error().message(), now);
  last_ = std::move(*object);
  if (!writes) return machine_.read(*record, now);
  ++renewals_;
  machine_.written(*record, now);
}

void Lease::tell() {
  const auto state = machine_.state();
  if (state == LeaseMachine::State::Standby && machine_.holder() != std::exchange(told_holder_, machine_.holder()) &&
      !machine_.holder().empty()) {
    log::info("standby: another instance leads", {{"lease", text()}, {"holder", printable(machine_.holder())}});
  }
  if (std::exchange(told_, state) == state) return;
  if (state == LeaseMachine::State::Leading) {
    log::info("lease acquired: this instance leads", {{"lease", text()}, {"transitions", machine_.transitions()}});
    loop_.after(Duration::zero(), events_.acquired);
  } else if (released_) {
    log::info("lease released", {{"lease", text()}});
    loop_.after(Duration::zero(), std::exchange(released_, {}));
  } else if (state == LeaseMachine::State::Lost) {
    log::error("lease lost: this instance leads no longer",
               {{"lease", text()}, {"why", printable(machine_.why_lost())}});
    loop_.after(Duration::zero(), [this] { events_.lost(machine_.why_lost()); });
  }
}

void Lease::log_problem() {
  if (machine_.problem().empty()) {
    if (reminder_.ends()) log::info("kubernetes lease can be used again", {{"lease", text()}});
  } else if (reminder_.due(clock_.now())) {
    log::warn("kubernetes lease cannot be used",
              {{"lease", text()}, {"server", client_.server()}, {"problem", printable(machine_.problem())}});
  }
}

}  // namespace meshdns::lease
