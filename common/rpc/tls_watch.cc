#include "common/rpc/tls_watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "common/metrics/samples.h"
#include "common/rpc/tls_copies.h"
#include "common/time/time_text.h"

namespace meshdns::rpc {

TlsWatch::TlsWatch(TlsFiles files, const Clock& clock, Timers& timers)
    : files_(std::move(files)), clock_(clock), timers_(timers), version_(version()) {
  read();
  schedule();
}

TlsWatch::~TlsWatch() {
  if (timer_) timers_.cancel(*timer_);
}

void TlsWatch::schedule() {
  timer_ = timers_.after(kLook, [this] {
    look();
    schedule();
  });
}

std::string TlsWatch::version() const {
  std::string out;
  std::vector<std::string> paths = {files_.certificate, files_.key, files_.ca};
  paths.insert(paths.end(), files_.more_ca.begin(), files_.more_ca.end());
  for (const std::string& path : paths) {
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0) {
      out += std::to_string(found.st_ino) + "," + std::to_string(found.st_size) + "," +
             std::to_string(found.st_mtim.tv_sec) + "." + std::to_string(found.st_mtim.tv_nsec);
    }
    out += ";";
  }
  return out;
}

void TlsWatch::look() {
  std::string now = version();
  if (now == version_) {
    if (clock_.now() - read_at_ >= kRead) read();
    return;
  }
  version_ = std::move(now);
  read();
  if (taken_ && std::ranges::all_of(found_, &std::string::empty, &TlsFile::problem)) {
    log::info("tls files taken", {{"certificate", files_.certificate}, {"until", time_text(found_.front().not_after)}});
  }
}

void TlsWatch::read() {
  read_at_ = clock_.now();
  found_ = inspect(files_, clock_.unix_seconds());
  taken_ = renew_copies(files_);  // inspect() has found what is wrong, too
  for (const TlsFile& file : found_) tell(file);
}

void TlsWatch::tell(const TlsFile& file) {
  const std::int64_t left = file.not_after - clock_.unix_seconds();
  const std::int64_t quarter = (file.not_after - file.not_before) / 4;
  const bool soon = file.problem.empty() && left < std::min(kSoon, quarter);
  const bool very_soon = soon && left < std::min(kVerySoon, quarter);
  const std::string problem = problem_text(file, clock_.unix_seconds());
  const std::string what = soon ? (very_soon ? "very soon " : "soon ") + time_text(file.not_after) : file.problem;
  Told& told = told_[file.path];
  const bool once = what.empty() || (soon && !very_soon);
  if (what == told.what && (once || clock_.now() - told.at < kTellAgain)) return;
  const bool mended = what.empty();
  told = {what, clock_.now()};
  if (mended) {
    log::info("tls file can be used again", {{"file", file.path}, {"until", time_text(file.not_after)}});
  } else if (soon) {
    log::warn("certificate expires soon", {{"file", file.path}, {"until", time_text(file.not_after)}});
  } else if (file.problem.starts_with("expired")) {
    log::error("certificate expired", {{"file", file.path}, {"problem", problem}});
  } else {
    log::error("tls file cannot be used", {{"file", file.path}, {"problem", problem}});
  }
}

void collect_samples(const TlsWatch& watch, std::vector<metrics::Sample>& out) {
  for (const TlsFile& file : watch.files()) {
    metrics::gauge(out, "meshdns_tls_certificate_expiry_timestamp_seconds",
                   "when the file's certificate ends, in seconds since 1970; 0 = it cannot be read",
                   {{"file", file.path}, {"subject", file.subject}}, static_cast<double>(file.not_after));
    metrics::gauge(out, "meshdns_tls_file_usable", "0 while the file cannot be used", {{"file", file.path}},
                   file.problem.empty() ? 1.0 : 0.0);
  }
}

}  // namespace meshdns::rpc
