#include "dnsd/app/file_role.h"

#include <algorithm>
#include <utility>

namespace meshdns::dnsd::app {

FileRole::FileRole(Environment environment)
    : env_(std::move(environment)),
      file_(env_.mesh.catalog, env_.mesh.objects),
      changes_({.mesh = env_.mesh,
                .events = env_.events,
                .store =
                    [this](const persistence::Objects::Change& change, const std::function<void(Result<void>)>& done) {
                      env_.mesh.objects.commit(change, env_.mesh.clock.now());
                      done({});
                    },
                .erase_expired = [](const std::vector<std::string>& /*keys*/) {},
                .forget_nodes = [](const v1::DeleteRequest& /*request*/) -> Result<v1::DeleteReply> {
                  return Error(Code::FailedPrecondition, "no agents report here: there is nobody to forget");
                },
                .records_changed = env_.records_changed}) {}

FileRole::~FileRole() {
  if (forget_timer_) env_.timers.cancel(*forget_timer_);
}

Result<bool> FileRole::open() {
  read_file();
  return true;
}

void FileRole::schedule_forgetting() {
  const Duration forget_after = env_.configuration.forget_after();
  forget_timer_ = env_.timers.after(std::min(kForgetInterval, forget_after), [this] {
    env_.mesh.catalog.forget(env_.configuration.forget_after(), env_.mesh.clock.now());
    schedule_forgetting();
  });
}

void FileRole::reload() {
  read_file();
  env_.mesh.catalog.pass_serial(env_.mesh.catalog.serial());  // zones may have other records now
}

void FileRole::read_file() { file_.apply(env_.configuration, env_.mesh.clock.now(), env_.mesh.clock.unix_seconds()); }

}  // namespace meshdns::dnsd::app
