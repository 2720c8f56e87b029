#pragma once

#include <functional>
#include <vector>

#include "common/base/result.h"
#include "dnsd/app/hostname_service.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/app/role.h"
#include "dnsd/app/slices.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Makes the reply of `meshdnsctl status`: the process, the mesh, the part of each role, and the problems of objects.
/// A status is a job of Slices, because problems are looked for in all objects.
/// thread: control
class StatusReport {
 public:
  using Done = std::function<void(Result<v1::StatusReply>)>;

  /// All references must outlive the report.
  struct Environment {
    const ProcessState& process;
    const MeshState& mesh;
    const HostnameService& hostnames;
    const std::vector<Role*>& roles;
  };

  StatusReport(Environment environment, Slices& slices) : env_(environment), slices_(slices) {}

  /// Makes a status and calls `done`.
  /// errors: Unavailable: too many calls at once
  void status(const Done& done);

 private:
  struct Problems;
  /// returns: false = the slice is over
  bool look_for_unread(Problems& problems, Slice& slice) const;
  bool look_for_problems(Problems& problems, Slice& slice) const;
  /// Makes the part of a status whose cost does not grow with the mesh.
  v1::StatusReply status_now() const;
  void write_process(v1::StatusReply& out) const;
  void write_records(v1::StatusReply& out) const;
  void write_answers(v1::StatusReply& out) const;
  void write_overrides(v1::StatusReply& out) const;

  Environment env_;
  Slices& slices_;
};

}  // namespace meshdns::dnsd::app
