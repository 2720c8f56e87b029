#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dnsd/answers/settings.h"
#include "dnsd/topology/lint.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::explain {

/// Looks at objects for what is suspicious in them. Refers to its arguments.
class Linter {
 public:
  /// names: of the records; expect() adds to them
  Linter(const model::Records& records, topology::Planner& planner, const answers::Settings& settings,
         std::shared_ptr<topology::KnownNames> names, TimePoint now);
  /// Walks all nodes and objects for their names.
  Linter(const model::Records& records, topology::Planner& planner, const answers::Settings& settings, TimePoint now);
  Linter(const Linter&) = delete;
  Linter& operator=(const Linter&) = delete;

  /// Adds an object that is about to be applied with the others: each of them is looked at as if this one were there.
  void expect(const v1::Object& object);
  /// Worst first. An object that means nothing has one error.
  std::vector<v1::Finding> look(const v1::Object& object) const;

 private:
  std::shared_ptr<topology::KnownNames> names_;
  topology::LintScene scene_;
};

}  // namespace meshdns::explain
