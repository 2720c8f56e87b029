#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/discovery/discovered.h"
#include "agent/discovery/endpoints_file.h"

namespace meshdns::discovery {

/// Endpoints from the *.yaml files of a directory. Nothing is withdrawn by mistake: a file that cannot be read or is
/// wrong keeps what it listed before, and so does a directory that cannot be read. A removed file withdraws its own.
class StaticSource {
 public:
  struct FileState {
    std::string path;
    bool listed = false;  // endpoints() has all that the file says
    std::string error;    // what is wrong, one problem a line; also where an endpoint was left out as a duplicate

    friend bool operator==(const FileState&, const FileState&) = default;
  };

  /// directory: need not exist yet. Reads nothing before refresh().
  StaticSource(std::string directory, Defaults defaults);

  /// Reads what changed (by inode, size and times); to be called every second.
  /// returns: true if endpoints(), files(), listed() or error() changed
  bool refresh();

  /// Other defaults: the next refresh() reads everything anew.
  void set_defaults(Defaults defaults);

  const std::string& directory() const { return directory_; }
  /// By file name, then in the order of the file. Of equal keys the first counts.
  const std::vector<Discovered>& endpoints() const { return listing_.endpoints; }
  const std::vector<FileState>& files() const { return listing_.files; }
  /// endpoints() is complete: the directory and every file in it could be read.
  bool listed() const { return listing_.listed; }
  /// The other files of the directory, hidden ones aside: somebody may think that they count.
  const std::set<std::string>& others() const { return others_; }
  /// Of the directory; empty = fine.
  const std::string& error() const { return listing_.error; }

 private:
  struct Stamp {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;

    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  struct File {
    Stamp stamp;
    std::vector<Discovered> endpoints;
    std::string error;
  };
  struct Listing {
    std::vector<Discovered> endpoints;
    std::vector<FileState> files;
    bool listed = false;
    std::string error = "not read yet";

    friend bool operator==(const Listing&, const Listing&) = default;
  };

  static Stamp stamp_of(const std::string& path);
  /// Tells once of each file that is not read.
  Result<std::vector<std::string>> names();
  void read_files(const std::vector<std::string>& names);
  void read_file(const std::string& path, File& file) const;
  Listing listing(std::string error) const;

  std::string directory_;
  Defaults defaults_;
  std::map<std::string, File> files_;  // by path
  std::set<std::string> others_;       // files that are not read, and were told
  Listing listing_;
};

}  // namespace meshdns::discovery
