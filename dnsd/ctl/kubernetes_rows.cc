#include "dnsd/ctl/kubernetes_rows.h"

#include "common/base/text.h"

namespace meshdns::ctl {

void add_lease_and_objects(const v1::StatusReply& reply, std::vector<std::pair<std::string, std::string>>& rows) {
  if (reply.has_lease()) {
    const v1::LeaseInfo& lease = reply.lease();
    rows.emplace_back("lease", lease.name() + "   " + lease.state() +
                                   (lease.holder().empty() ? "   nobody has it" : "   held by " + lease.holder()));
    if (!lease.problem().empty()) rows.emplace_back("lease", "NOT USABLE: " + lease.problem());
  }
  if (!reply.has_object_store()) return;
  const v1::ObjectStoreInfo& store = reply.object_store();
  rows.emplace_back("objects", "in the Kubernetes API   " + counted(store.objects(), "object") +
                                   (store.refused() > 0 ? ", " + std::to_string(store.refused()) + " REFUSED" : "") +
                                   (store.listed() ? "" : "   not listed yet: those of an earlier run count"));
  if (!store.problem().empty()) rows.emplace_back("objects", "NOT FOLLOWED: " + store.problem());
}

}  // namespace meshdns::ctl
