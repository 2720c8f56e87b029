#include "dnsd/app/serving.h"

#include <string>
#include <utility>

#include "common/log/log.h"
#include "common/process/memory.h"
#include "dnsd/app/local_overrides.h"
#include "dnsd/app/replica.h"

namespace meshdns::dnsd::app {
namespace {

constexpr Duration kServeInterval = 1s;  // between two tries to serve DNS

}  // namespace

Serving::Serving(Environment environment) : env_(std::move(environment)) {}

Serving::~Serving() {
  if (timer_) env_.timers.cancel(*timer_);
}

Result<void> Serving::start_with_kept_answers() {
  const Configuration& configuration = env_.process.configuration;
  env_.mesh.publisher.hold();
  env_.mesh.publisher.configure(configuration.answers, configuration.static_records);
  const std::string folder = configuration.file.data_dir();
  const bool replica = configuration.file.has_replica();
  if (replica && LocalOverrides::left_in(folder)) return {};  // kept answers would ignore them
  const auto found = env_.warm_start.take(replica ? folder + "/" + Replica::kFile : "");
  return found ? env_.dns.start() : Result<void>{};
}

void Serving::release_unless_served() {
  if (!env_.dns.serves()) env_.mesh.publisher.release();
}

Result<void> Serving::start_not_ready() {
  if (env_.dns.serves()) env_.dns.withdraw();  // their snapshot cannot be read: the kept answers would never be updated
  env_.mesh.publisher.release();
  if (!env_.dns.has_passed_address()) {
    log::warn("no snapshot: DNS is not served until a federation has sent the records");
    return {};
  }
  env_.mesh.publisher.set_not_ready(true);
  log::warn("no snapshot: DNS answers SERVFAIL until a federation has sent the records");
  return env_.dns.start();
}

Result<void> Serving::begin() {
  begun_ = true;
  publish::Publisher& publisher = env_.mesh.publisher;
  publisher.release();
  if (publisher.settle()) return serve();
  publisher.publish_all([this] { serve_or_try_again(); });
  return {};
}

void Serving::begin_or_try_again() {
  if (begun_ || stopping_) return;
  if (const auto done = begin(); !done) serve_later(done.error());
}

void Serving::serve_or_try_again() {
  if (stopping_) return;
  if (const auto done = serve(); !done) serve_later(done.error());
}

Result<void> Serving::serve() {
  if (!env_.dns.serves()) {
    if (auto done = env_.dns.start(); !done) return done;
  }
  if (tries_.ends()) log::info("dns is served after failed attempts");
  publish::Publisher& publisher = env_.mesh.publisher;
  publisher.settle();  // clients ask as soon as the process says that it is ready
  env_.process.ready = true;
  env_.warm_start.keep_later();
  process::release_free_memory();  // the records that were read and the first tables have left much of it
  log::info("ready", {{"hosts", publisher.hosts()}});
  env_.served();
  return {};
}

void Serving::serve_later(const Error& why) {
  // threads or descriptors may be available later; any other error would only repeat
  const bool passes = why.code() == Code::ResourceExhausted;
  if (!passes || tries_.due(env_.mesh.clock.now())) {
    log::error("cannot serve", {{"error", why}, {"tries_again", passes}});
  }
  if (!passes) return env_.failed();
  if (timer_) return;
  timer_ = env_.timers.after(kServeInterval, [this] {
    timer_.reset();
    serve_or_try_again();
  });
}

void Serving::stop() {
  stopping_ = true;
  env_.process.ready = false;
}

}  // namespace meshdns::dnsd::app
