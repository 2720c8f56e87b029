#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/kubernetes/client.h"
#include "common/kubernetes/events.h"
#include "common/metrics/samples.h"
#include "common/process/event_loop.h"
#include "dnsd/app/status_writer.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/kubernetes/export_survey.h"
#include "dnsd/kubernetes/service_directory.h"
#include "dnsd/resources/resource.h"
#include "dnsd/resources/status_queue.h"

namespace meshdns::dnsd::app {

/// Writes the conditions of the ServiceExports of one cluster of Kubernetes: Valid, Ready and Conflict.
///
///   ServiceExports (watch) -> StatusQueue: what they have  --.
///   ServiceDirectory       -> Valid, Ready                 ---+-> StatusQueue -> StatusWriter -> PATCH .../status
///   catalog -> ExportSurvey -> Conflict                    --'
///
/// Exports that changed, or whose Service did, are judged in the next turn; the survey goes through the catalog as long
/// as that changes. A turn costs the same whatever the number of exports and endpoints is.
/// source: KEP-1645, ServiceExportStatus of mcs-api v1beta1
/// thread: the loop's
class ExportStatuses {
 public:
  struct Limits {
    Duration turn = 500ms;
    std::size_t exports = 100;     // judged in one turn
    std::size_t endpoints = 2000;  // surveyed in one turn
    resources::StatusQueue::Limits queue{};
  };
  /// All references must outlive it.
  struct Environment {
    process::EventLoop& loop;
    const Clock& clock;
    const kubernetes::ServiceDirectory& directory;
    const catalog::Catalog& catalog;
    kubernetes::Client& client;
    std::string cluster;
  };

  ExportStatuses(Environment environment, const Limits& limits);
  ExportStatuses(const ExportStatuses&) = delete;
  ExportStatuses& operator=(const ExportStatuses&) = delete;
  ~ExportStatuses();

  /// Begins with the ServiceExports of a version of the API.
  /// group: the path of the version: "/apis/multicluster.x-k8s.io/v1beta1"
  void start(std::string group);
  /// Takes what the watch of ServiceExports tells.
  /// requires: the directory has been told before
  void take(const kubernetes::Notice& notice);
  /// The Service of that name has changed.
  void service_changed(const kubernetes::ObjectName& name);

  /// The Services have been listed anew, so that any of them may be gone.
  void services_listed();

  /// Why the last status could not be written; empty = it was.
  const std::string& problem() const { return writer_.problem(); }
  void collect(std::vector<metrics::Sample>& out) const;

 private:
  void take_event(const kubernetes::Event& event);
  void take_listed();
  void forget(const std::string& key);
  void schedule();
  void turn();
  void survey();
  void judge(const kubernetes::ObjectName& name);

  Environment env_;
  const Limits limits_;
  std::string group_;
  resources::Kind kind_;  // with group_
  resources::StatusQueue queue_;
  StatusWriter writer_;
  kubernetes::ExportSurvey survey_;
  std::map<std::string, kubernetes::ObjectName> exports_;       // by key
  std::map<kubernetes::ObjectName, std::int64_t> generations_;  // of the exports
  std::set<std::string> listed_;                                // keys of the list that is under way
  std::set<kubernetes::ObjectName> changed_;                    // to be judged
  std::optional<std::uint64_t> revision_;                       // of the catalog when the last survey began
  std::optional<TimerId> timer_;
};

}  // namespace meshdns::dnsd::app
