#include "dnsd/answers/reverse_index.h"

#include <algorithm>

namespace meshdns::answers {

std::size_t ReverseIndex::page_of(const IpAddress& address) const noexcept {
  const auto behind = std::ranges::upper_bound(
      pages, address, {},
      [](const Ref<const ReversePage>& page) -> const IpAddress& { return page->entries.front().address; });
  return behind == pages.begin() ? 0 : static_cast<std::size_t>(behind - pages.begin()) - 1;
}

const ReverseEntry* ReverseIndex::at_or_behind(const IpAddress& address) const noexcept {
  if (pages.empty()) return nullptr;
  const std::size_t page = page_of(address);
  const auto& entries = pages[page]->entries;
  const auto found = std::ranges::lower_bound(entries, address, {}, &ReverseEntry::address);
  if (found != entries.end()) return &*found;
  return page + 1 < pages.size() ? &pages[page + 1]->entries.front() : nullptr;
}

const ReverseEntry* ReverseIndex::find(const IpAddress& address) const noexcept {
  const ReverseEntry* entry = at_or_behind(address);
  return entry != nullptr && entry->address == address ? entry : nullptr;
}

bool ReverseIndex::any_in(const Prefix& prefix) const noexcept {
  const ReverseEntry* entry = at_or_behind(prefix.address());
  return entry != nullptr && prefix.contains(entry->address);
}

}  // namespace meshdns::answers
