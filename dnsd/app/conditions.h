#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "dnsd/app/record_counts.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/explain/findings.h"
#include "dnsd/publish/publisher.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::dnsd::app {

/// Writes the status of operators' objects into them: the conditions Accepted, Programmed and Degraded, each with
/// reason and message. Made for one page of a listing.
class Conditions {
 public:
  /// All arguments must outlive it.
  /// names: the names in the catalog's records
  Conditions(const catalog::Catalog& catalog, publish::Publisher& publisher, const RecordCounts& counts,
             std::shared_ptr<topology::KnownNames> names, TimePoint now);

  /// Replaces the status of `object`.
  void write(v1::Object& object) const;

 private:
  /// A condition.
  struct Said {
    bool is = false;
    std::string reason;
    std::string message;
  };
  Said programmed(const v1::Object& object) const;
  Said degraded(const v1::Object& object) const;
  Said degraded_destination(const v1::Object& object) const;
  /// Returns which gateways of a cluster are down, as in "10.1.0.1 cannot be reached from eu-1"; empty = none is known
  /// to be down.
  std::string gateways_down(const std::string& cluster) const;
  /// Returns lint's findings as a condition, the worst first; `otherwise` is the message if there are none.
  Said linted(const v1::Object& object, const std::string& otherwise) const;

  const catalog::Catalog& catalog_;
  publish::Publisher& publisher_;
  const RecordCounts& counts_;
  explain::Linter linter_;
  std::unordered_map<std::string, std::vector<std::string>> conflicts_;  // messages by object
};

}  // namespace meshdns::dnsd::app
