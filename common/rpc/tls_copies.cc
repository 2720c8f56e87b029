#include "common/rpc/tls_copies.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "common/base/whole_file.h"
#include "common/net/fd.h"

namespace meshdns::rpc {
namespace {

constexpr std::array kFiles = {&TlsFiles::certificate, &TlsFiles::key, &TlsFiles::ca};

using Slots = std::array<Fd, kFiles.size()>;

/// The copies of each end of TLS in this process.
struct Copies {
  std::mutex mutex;
  std::map<TlsFiles, Slots> all;
};

Copies& copies() {
  static Copies& kept = *new Copies;  // never freed: gRPC's threads may read the copies until the process ends
  return kept;
}

std::string path_of(const Fd& file) { return "/proc/self/fd/" + std::to_string(file.get()); }

TlsFiles paths_of(const Slots& slots) {
  TlsFiles out;
  for (std::size_t i = 0; i < slots.size(); ++i) out.*kFiles[i] = path_of(slots[i]);
  return out;
}

/// Returns the content of one of the copies: that of the file, or of all files with authorities.
Result<std::string> content_of(const TlsFiles& files, std::string TlsFiles::*which) {
  auto out = read_file(files.*which);
  if (!out || which != &TlsFiles::ca) return out;
  for (const std::string& path : files.more_ca) {
    const auto more = read_file(path);
    if (!more) return more;
    *out += "\n" + *more;
  }
  return out;
}

/// returns: no descriptor = a file cannot be read or copied
Fd copy_of(const Result<std::string>& bytes) {
  if (!bytes) return {};
  Fd out(::memfd_create("meshdns-tls", MFD_CLOEXEC));
  const bool written = out && ::write(out.get(), bytes->data(), bytes->size()) == static_cast<ssize_t>(bytes->size());
  return written ? std::move(out) : Fd();
}

/// Returns copies that belong together; nothing = the files do not, or cannot be copied.
std::optional<Slots> copy(const TlsFiles& files) {
  Slots out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = copy_of(content_of(files, kFiles[i]));
    if (!out[i]) return std::nullopt;
  }
  // the copies are checked, not the files: those may have changed since
  if (!check(paths_of(out))) return std::nullopt;
  return out;
}

}  // namespace

bool renew_copies(const TlsFiles& files) {
  auto fresh = copy(files);
  if (!fresh) return false;
  const std::lock_guard lock(copies().mutex);
  const auto [known, added] = copies().all.try_emplace(files);
  Slots& slots = known->second;
  if (added) {
    slots = *std::move(fresh);
    return true;
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (::dup3((*fresh)[i].get(), slots[i].get(), O_CLOEXEC) < 0) return false;
  }
  return true;
}

TlsFiles copies_of(const TlsFiles& files) {
  if (!renew_copies(files)) return files;
  const std::lock_guard lock(copies().mutex);
  return paths_of(copies().all.at(files));
}

}  // namespace meshdns::rpc
