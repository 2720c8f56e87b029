#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dnsd/answers/settings.h"
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

  /// Adds an object that will be applied together with others: they are looked at as if this one were applied.
  void expect(const v1::Object& object);
  /// Returns the findings of an object, the worst first. An object that is not valid has one error.
  std::vector<v1::Finding> look(const v1::Object& object) const;

 private:
  std::shared_ptr<topology::KnownNames> names_;
  topology::LintScene scene_;
};

}  // namespace meshdns::explain
