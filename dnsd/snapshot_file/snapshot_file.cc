#include "dnsd/snapshot_file/snapshot_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <utility>
#include <vector>

namespace meshdns::snapshot_file {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "MDNSSNAP";
constexpr std::size_t kHeader = 8 + 4 + 8 + 8;  // the checksum follows
constexpr std::size_t kChecksum = 8;
constexpr std::size_t kPart = std::size_t{1} << 18;

void put_number(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::uint64_t number_at(std::string_view text, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value |= std::uint64_t{static_cast<unsigned char>(text[at + i])} << (8 * i);
  return value;
}

std::uint64_t checksum(std::string_view header, std::string_view content) {
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  XXH3_64bits_update(state, header.data(), header.size());
  XXH3_64bits_update(state, content.data(), content.size());
  const std::uint64_t sum = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return sum;
}

std::string head_of(const std::string& content, std::int64_t unix_seconds) {
  std::string out(kMagic);
  put_number(out, SnapshotFile::kVersion, 4);
  put_number(out, static_cast<std::uint64_t>(unix_seconds), 8);
  put_number(out, content.size(), 8);
  put_number(out, checksum(out, content), kChecksum);
  return out;
}

struct Generation {
  std::string content;
  std::int64_t unix_seconds = 0;
};

Result<Generation> parsed(std::string text) {
  const std::string_view view(text);
  if (view.size() < kHeader + kChecksum) return Error(Code::DataLoss, "cut off in its head");
  if (!view.starts_with(kMagic)) return Error(Code::DataLoss, "not a snapshot");
  const auto version = number_at(view, 8, 4);
  if (version != SnapshotFile::kVersion) {
    return Error(Code::FailedPrecondition, "of version " + std::to_string(version) + ", this program reads version " +
                                               std::to_string(SnapshotFile::kVersion));
  }
  const std::string_view content = view.substr(kHeader + kChecksum);
  if (number_at(view, 20, 8) != content.size()) return Error(Code::DataLoss, "cut off");
  if (number_at(view, kHeader, kChecksum) != checksum(view.substr(0, kHeader), content)) {
    return Error(Code::DataLoss, "its checksum is wrong");
  }
  const auto unix_seconds = static_cast<std::int64_t>(number_at(view, 12, 8));
  text.erase(0, kHeader + kChecksum);
  return Generation{std::move(text), unix_seconds};
}

Error failure(const std::string& what) { return {Code::Unavailable, what + ": " + std::strerror(errno)}; }

/// Nothing = it cannot be read.
std::optional<std::string> read_whole(const std::string& path, std::size_t most) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  struct stat status {};
  std::string out;
  if (::fstat(fd, &status) == 0) out.resize(std::min(most, static_cast<std::size_t>(status.st_size)));
  std::size_t done = 0;
  while (done < out.size()) {
    const auto read = ::read(fd, out.data() + done, out.size() - done);
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) break;
    done += static_cast<std::size_t>(read);
  }
  ::close(fd);
  out.resize(done);
  return out;
}

bool write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const auto written = ::write(fd, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

Result<void> write_whole(const std::string& path, const std::string& head, const std::string& content) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failure(path);
  const bool good = write_all(fd, head) && write_all(fd, content) && ::fsync(fd) == 0;
  const Error error = failure(path);
  ::close(fd);
  if (!good) return error;
  return {};
}

/// Makes renames in the folder last.
void sync_folder(const std::string& path) {
  const int fd = ::open(fs::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(::fsync(fd));
  ::close(fd);
}

}  // namespace

SnapshotFile::Loaded SnapshotFile::load(std::int64_t unix_seconds) const {
  Loaded out;
  for (const std::string& path : {path_ + ".snapshot", path_ + ".snapshot.previous"}) {
    auto text = read_whole(path, std::numeric_limits<std::size_t>::max());
    if (!text) continue;
    auto generation = parsed(std::move(*text));
    if (generation) {
      out.content = std::move(generation->content);
      out.age = std::chrono::seconds(std::max<std::int64_t>(0, unix_seconds - generation->unix_seconds));
      return out;
    }
    out.problems.push_back(path + ": " + generation.error().message());
    // what a newer program wrote is still good for that one
    if (generation.error().code() != Code::FailedPrecondition) ::rename(path.c_str(), (path + ".bad").c_str());
  }
  return out;
}

std::optional<std::uint64_t> SnapshotFile::checksum() const {
  const auto head = read_whole(path_ + ".snapshot", kHeader + kChecksum);
  if (!head || head->size() < kHeader + kChecksum || !head->starts_with(kMagic)) return std::nullopt;
  return number_at(*head, kHeader, kChecksum);
}

std::uint64_t digest(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint64_t file_digest(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  std::vector<char> part(kPart);  // one that stays in the cache: a large file is not worth its memory
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  ssize_t size = 0;
  do {
    size = ::read(fd, part.data(), part.size());
    if (size > 0) XXH3_64bits_update(state, part.data(), static_cast<std::size_t>(size));
  } while (size > 0 || (size < 0 && errno == EINTR));
  const std::uint64_t sum = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  ::close(fd);
  return size < 0 ? 0 : sum;
}

Result<void> SnapshotFile::save(const std::string& content, std::int64_t unix_seconds) const {
  std::error_code ignored;
  fs::create_directories(fs::path(path_).parent_path(), ignored);
  const std::string current = path_ + ".snapshot";
  const std::string next = path_ + ".snapshot.next";
  if (auto written = write_whole(next, head_of(content, unix_seconds), content); !written) return written;
  if (::rename(current.c_str(), (current + ".previous").c_str()) != 0 && errno != ENOENT) return failure(current);
  if (::rename(next.c_str(), current.c_str()) != 0) return failure(next);
  sync_folder(current);
  return {};
}

}  // namespace meshdns::snapshot_file
