#include "common/rpc/tls_copies.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/net/fd.h"

namespace meshdns::rpc {
namespace {

constexpr std::array kFiles = {&TlsFiles::certificate, &TlsFiles::key, &TlsFiles::ca};

using Slots = std::array<Fd, kFiles.size()>;

/// The copies of each end of TLS in this process.
struct Copies {
  std::mutex mutex;
  std::vector<std::pair<TlsFiles, Slots>> all;
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

Result<Fd> copy_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  errno = 0;
  if (!file || !(content << file.rdbuf())) {
    return Error(Code::Unavailable, path + ": " + (errno == 0 ? "is empty" : std::strerror(errno)));
  }
  const std::string bytes = content.str();
  Fd out(::memfd_create("meshdns-tls", MFD_CLOEXEC));
  if (out.get() < 0 || ::write(out.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    return Error(Code::Unavailable, path + ": cannot be copied: " + std::strerror(errno));
  }
  return out;
}

/// "FILE: why" about a copy becomes the same about the file.
std::string with_names(std::string message, const Slots& slots, const TlsFiles& files) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::string copy = path_of(slots[i]);
    for (auto at = message.find(copy); at != std::string::npos; at = message.find(copy)) {
      message.replace(at, copy.size(), files.*kFiles[i]);
    }
  }
  return message;
}

/// Returns copies that belong together.
Result<Slots> copy(const TlsFiles& files) {
  Slots out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto one = copy_of(files.*kFiles[i]);
    if (!one) return one.error();
    out[i] = *std::move(one);
  }
  // the copies are checked, not the files: those may have changed since
  if (const auto good = check(paths_of(out)); !good) {
    return Error(good.error().code(), with_names(good.error().message(), out, files));
  }
  return out;
}

}  // namespace

Result<void> renew_copies(const TlsFiles& files) {
  auto fresh = copy(files);
  if (!fresh) return fresh.error();
  const std::lock_guard lock(copies().mutex);
  for (auto& [known, slots] : copies().all) {
    if (!(known == files)) continue;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (::dup3((*fresh)[i].get(), slots[i].get(), O_CLOEXEC) < 0) {
        return Error(Code::Unavailable, files.*kFiles[i] + ": cannot be copied: " + std::strerror(errno));
      }
    }
    return {};
  }
  copies().all.emplace_back(files, *std::move(fresh));
  return {};
}

TlsFiles copies_of(const TlsFiles& files) {
  if (!renew_copies(files)) return files;
  const std::lock_guard lock(copies().mutex);
  for (const auto& [known, slots] : copies().all) {
    if (known == files) return paths_of(slots);
  }
  return files;
}

}  // namespace meshdns::rpc
