#include "dnsd/app/status_writer.h"

#include <algorithm>
#include <utility>

#include "common/base/printable.h"
#include "common/kubernetes/refusal.h"
#include "common/kubernetes/status_codes.h"
#include "common/log/log.h"

namespace meshdns::dnsd::app {

StatusWriter::~StatusWriter() {
  if (timer_) loop_.cancel(*timer_);
}

void StatusWriter::write() {
  const TimePoint now = clock_.now();
  if (auto next = queue_.next(now, clock_.unix_seconds())) {
    kubernetes::Request request;
    request.method = "PATCH";
    request.target = next->path;
    request.body = std::move(next->body);
    request.content_type = kubernetes::kMergePatch;
    patch_ = client_.send(std::move(request), [this, path = next->path](const Result<kubernetes::Answer>& answer) {
      patched(path, answer);
    });
  }
  if (timer_) loop_.cancel(*timer_);
  timer_.reset();
  if (const auto due = queue_.due()) {
    timer_ = loop_.after(std::max<Duration>(*due - now, Duration::zero()), [this] {
      timer_.reset();
      write();
    });
  }
}

void StatusWriter::patched(const std::string& path, const Result<kubernetes::Answer>& answer) {
  const bool gone = answer && answer->status == kubernetes::kNotFound;  // the event that says so is on its way
  const bool written = answer && answer->status == kubernetes::kOk;
  std::string problem;
  if (!answer) {
    problem = answer.error().message();
  } else if (!written && !gone) {
    if (answer->status == kubernetes::kUnauthorized) client_.expire_token();
    problem = kubernetes::parse_refusal(answer->status, answer->retry_after, answer->body).text() +
              (answer->status == kubernetes::kForbidden ? rule_for_(path) : "");
  }
  ++(problem.empty() ? written_ : failed_);
  told(problem);
  queue_.done(written || gone, clock_.now());
  write();
}

void StatusWriter::told(const std::string& problem) {
  problem_ = problem;
  if (problem.empty()) {
    if (reminder_.ends()) log::info("kubernetes status can be written again");
  } else if (reminder_.due(clock_.now())) {
    log::warn("kubernetes status cannot be written", {{"server", client_.server()}, {"problem", printable(problem)}});
  }
}

}  // namespace meshdns::dnsd::app
