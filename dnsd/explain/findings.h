#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dnsd/answers/settings.h"
#include "dnsd/catalog/host_rights.h"
#include "dnsd/topology/lint.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::explain {

/// Finds suspicious parts of objects, for `lint` and `apply`. The arguments must outlive this.
class Linter {
 public:
  /// names: those of the records; expect() adds to them
  Linter(const model::Records& records, topology::Planner& planner, const answers::AnswerSettings& settings,
         std::shared_ptr<topology::KnownNames> names, TimePoint now);
  /// Collects the names itself, by a walk over all nodes and objects.
  Linter(const model::Records& records, topology::Planner& planner, const answers::AnswerSettings& settings,
         TimePoint now);
  Linter(const Linter&) = delete;
  Linter& operator=(const Linter&) = delete;

  /// Lets look() compare hosts with what the namespaces of the Kubernetes API may claim.
  void set_host_rights(const std::optional<catalog::HostRights>& rights) { rights_ = rights; }
  /// Adds an object that will be applied together with others: they are looked at as if this one were applied.
  void expect(const v1::Object& object);
  /// Returns the findings of an object, the worst first. An object that is not valid has one error.
  std::vector<v1::Finding> look(const v1::Object& object) const;

 private:
  void look_at_rights(const v1::Object& object, std::vector<topology::Finding>& found) const;

  std::shared_ptr<topology::KnownNames> names_;
  topology::LintScene scene_;
  std::optional<catalog::HostRights> rights_;
};

}  // namespace meshdns::explain
