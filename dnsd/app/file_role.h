#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/time/time.h"
#include "dnsd/app/event_log.h"
#include "dnsd/app/mesh_file.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/app/object_changes.h"
#include "dnsd/app/record_source.h"

namespace meshdns::dnsd::app {

/// The role of a meshdnsd that gets its records from dns.endpoints_file. Operators' objects last until the end of the
/// process.
///
/// The order of start and end
///
///   open():  the file's records
///   start(): the timer that forgets
/// thread: control
class FileRole : public RecordSource {
 public:
  /// All references must outlive the role.
  struct Environment {
    Timers& timers;
    const Configuration& configuration;
    const MeshState& mesh;
    EventLog& events;
    std::function<void()> records_changed;  // informs everybody whom a change of the catalog concerns
  };

  explicit FileRole(Environment environment);
  ~FileRole() override;

  Result<bool> open() override;
  void start() override { schedule_forgetting(); }
  void reload() override;

  void apply(const v1::ApplyRequest& request, Applied done) override { changes_.apply(request, std::move(done)); }
  void erase(const v1::DeleteRequest& request, Erased done) override { changes_.erase(request, std::move(done)); }
  void expire_overrides() override { changes_.expire_overrides(); }
  std::string node_state(const std::string& /*node*/) const override { return "from file"; }
  void write(v1::StatusReply& out) const override { changes_.write(out); }
  void collect(std::vector<metrics::Sample>& /*out*/) const override {}

 private:
  void read_file();
  void schedule_forgetting();

  Environment env_;
  MeshFile file_;
  ObjectChanges changes_;
  std::optional<TimerId> forget_timer_;
};

}  // namespace meshdns::dnsd::app
