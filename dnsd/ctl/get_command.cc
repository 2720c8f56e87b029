#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "dnsd/ctl/commands.h"
#include "dnsd/ctl/documents.h"
#include "dnsd/ctl/table.h"
#include "dnsd/ctl/views.h"

// get and describe: listings, which come in pages.

namespace meshdns::ctl {
namespace {

bool is_of_objects(const std::string& kind) {
  return kind == "VirtualDestination" || kind == "Cluster" || kind == "Override";
}

std::uint64_t rows_in(const v1::ListReply& page) {
  return static_cast<std::uint64_t>(page.objects_size()) + static_cast<std::uint64_t>(page.nodes_size()) +
         static_cast<std::uint64_t>(page.endpoints_size());
}

/// Prints a listing page by page. The columns of a table are as wide as its first page needs.
class Printer {
 public:
  Printer(std::string kind, Output output, std::int64_t unix_seconds)
      : kind_(std::move(kind)), output_(output), unix_seconds_(unix_seconds), list_(output, field_of(kind_)) {}

  void print(const v1::ListReply& page, bool last) {
    if (output_ != Output::Table) {
      std::cout << (is_of_objects(kind_) ? objects_.add(page, output_, last) : list_.add(page, last));
    } else if (!widths_) {
      std::cout << list_view(kind_, page, unix_seconds_);
      widths_ = list_table(kind_, page, unix_seconds_).widths();
    } else {
      std::cout << list_table(kind_, page, unix_seconds_).more_text(*widths_);
    }
    std::cout << std::flush;
  }

 private:
  static std::string field_of(const std::string& kind) { return kind == "Node" ? "nodes" : "endpoints"; }

  std::string kind_;
  Output output_;
  std::int64_t unix_seconds_;
  std::optional<std::vector<std::size_t>> widths_;
  ListDocument list_;
  ObjectDocuments objects_;
};

v1::ListRequest request_for(const Named& what) {
  v1::ListRequest request;
  request.set_kind(what.kind);
  request.set_key(what.name);
  return request;
}

}  // namespace

int get(Client& client, const Named& what, Output output, std::int64_t unix_seconds, const Rows& rows) {
  v1::ListRequest request = request_for(what);
  Printer printer(what.kind, output, unix_seconds);
  std::uint64_t shown = 0;
  for (bool last = false; !last;) {
    const std::uint64_t left = rows.most == 0 ? rows.page : rows.most - shown;
    request.set_limit(static_cast<std::uint32_t>(std::min<std::uint64_t>(rows.page, left)));
    const auto page = client.list(request);
    if (!page) return fail(page.error());
    shown += rows_in(*page);
    const bool enough = rows.most > 0 && shown >= rows.most;
    last = enough || page->continue_().empty();
    printer.print(*page, last);
    if (!std::cout) return kFailed;  // nobody reads it any more
    request.set_continue_(page->continue_());
  }
  if (!request.continue_().empty()) std::cerr << "there are more than these " << shown << "\n";
  return kOk;
}

int describe(Client& client, const Named& what, Output output, std::int64_t unix_seconds) {
  if (output != Output::Table) return get(client, what, output, unix_seconds, {});
  const auto reply = client.list(request_for(what));
  if (!reply) return fail(reply.error());
  for (const auto& node : reply->nodes()) std::cout << describe_node(node);
  for (const auto& endpoint : reply->endpoints()) std::cout << describe_endpoint(endpoint);
  for (const auto& object : reply->objects()) std::cout << describe_object(object);
  return kOk;
}

}  // namespace meshdns::ctl
