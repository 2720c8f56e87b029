#include "dnsd/query/reverse.h"

#include <algorithm>

#include "dnsd/wire/reverse_name.h"

namespace meshdns::query {

Reverse find_reverse(const answers::AnswerTable& table, const wire::FoldedName& name) noexcept {
  if (table.reverse.empty()) return {};
  const auto read = wire::read_reverse_name(name);
  if (!read) return {};
  for (std::size_t labels = read->labels; labels > 0; --labels) {
    if (!table.reverse.any_in(read->prefix(labels))) continue;
    Reverse out;
    out.below = read->unread + read->labels - labels;
    if (out.below != 0 || !read->complete()) return out;
    out.address = read->address;
    out.host = table.host(table.reverse.find(read->address)->host);
    return out;
  }
  return {};
}

std::optional<std::uint16_t> find_row(const answers::Host& host, const IpAddress& address) noexcept {
  const auto rows = host.rows();
  const auto has = [&](const answers::EndpointRow& row) {
    if (address.is_v4()) return row.has_v4 && std::ranges::equal(row.v4, address.bytes());
    return row.v6 != 0 && std::ranges::equal(host.v6(row), address.bytes());
  };
  const auto found = std::ranges::find_if(rows, has);
  if (found == rows.end()) return std::nullopt;
  return static_cast<std::uint16_t>(found - rows.begin());
}

}  // namespace meshdns::query
