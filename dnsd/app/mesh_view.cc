#include "dnsd/app/mesh_view.h"

#include "common/log/log.h"

// Approvals by operators. Their changes are in mesh_view_changes.cc, status and metrics in mesh_view_status.cc.

namespace meshdns::app {

Result<v1::ApproveShrinkReply> MeshView::approve_shrink() {
  if (parts_.recovery != nullptr && parts_.recovery->recovering()) return approve_records();
  if (parts_.replica == nullptr) return Error(Code::FailedPrecondition, "this is not a replica: it refuses no sets");
  federation::Mirror& mirror = parts_.replica->mirror();
  if (mirror.shrink_refused().empty()) return Error(Code::FailedPrecondition, "no set is refused");
  mirror.approve_shrink();
  log::info("shrink approved", {{"what", mirror.shrink_refused()}});
  v1::ApproveShrinkReply reply;
  reply.set_approved(mirror.shrink_refused());
  return reply;
}

v1::ApproveShrinkReply MeshView::approve_records() {
  const std::string what = "endpoints known: " + std::to_string(parts_.catalog->records().endpoints.size());
  parts_.recovery->approve();
  log::info("recovery ended by an operator", {{"what", what}});
  v1::ApproveShrinkReply reply;
  reply.set_approved(what);
  return reply;
}

}  // namespace meshdns::app
