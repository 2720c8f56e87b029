#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/kubernetes/client.h"
#include "common/kubernetes/informer.h"
#include "common/metrics/samples.h"
#include "common/process/event_loop.h"
#include "dnsd/app/export_statuses.h"
#include "dnsd/app/kubernetes_server.h"
#include "dnsd/kubernetes/service_directory.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Follows the Services, EndpointSlices, Nodes, Namespaces and ServiceExports of one cluster of Kubernetes, and tells
/// what they say of its pods and endpoints.
///
///   Informers (one for each kind) -> ServiceDirectory -> changed(), at once, then at most every `pace`
///   GET /apis/multicluster.x-k8s.io --> is there an API of ServiceExports? asked again every `discovery`
///   ServiceExports, ServiceDirectory, catalog -> ExportStatuses -> PATCH .../serviceexports/NAME/status
///
/// The API server may be away for as long as it wants: nothing that was told is taken back.
/// thread: the loop's
class KubernetesWatch {
 public:
  struct Limits {
    Duration pace = 10ms;       // between two calls of changed()
    Duration discovery = 5min;  // between two questions for the API of ServiceExports, while it is not there
    Duration retry = 5s;        // after a question that was not answered
  };
  using Changed = std::function<void(kubernetes::DirectoryChanges)>;
  /// All references must outlive the watch.
  struct Environment {
    process::EventLoop& loop;
    const Clock& clock;
    const catalog::Catalog& catalog;  // of the mesh, for the conditions of ServiceExports
  };

  /// changed: called from the loop, never within a call of this class; the first call has everything that exists
  KubernetesWatch(const Environment& environment, KubernetesServer cluster, Limits limits, Changed changed);
  ~KubernetesWatch();
  KubernetesWatch(const KubernetesWatch&) = delete;
  KubernetesWatch& operator=(const KubernetesWatch&) = delete;

  void start();

  const std::string& cluster() const { return cluster_.cluster; }
  const kubernetes::ServiceDirectory& directory() const { return directory_; }
  void write(v1::KubernetesInfo& out) const;
  void collect(std::vector<metrics::Sample>& out) const;

 private:
  using Kind = kubernetes::ServiceDirectory::Kind;

  void follow(Kind kind, const std::string& path, bool metadata_only);
  void take(Kind kind, const kubernetes::Notice& notice);
  /// Hands on what concerns the status of ServiceExports.
  void tell_exports(Kind kind, const kubernetes::Notice& notice);
  /// Tells the changes now, or when the pace allows it.
  void tell_soon();
  void tell();
  /// Logs objects that cannot be read, and objects that can be read again.
  void log_problems();
  void ask_for_exports();
  void take_versions(const Result<kubernetes::Answer>& answer);
  void ask_again(Duration delay);

  process::EventLoop& loop_;
  const Clock& clock_;
  const KubernetesServer cluster_;
  const Limits limits_;
  const Changed changed_;
  kubernetes::Client client_;
  kubernetes::ServiceDirectory directory_;
  std::optional<TimerId> tell_timer_;
  std::optional<TimePoint> told_;
  std::uint64_t problem_changes_ = 0;  // of the directory, when they were logged last
  std::set<std::string> logged_;       // objects that cannot be read
  std::optional<TimerId> exports_timer_;
  std::string exports_problem_;
  ExportStatuses export_statuses_;
  kubernetes::Call exports_call_;
  std::map<Kind, std::unique_ptr<kubernetes::Informer>> informers_;  // the last member: their consumers use the others
};

}  // namespace meshdns::dnsd::app
