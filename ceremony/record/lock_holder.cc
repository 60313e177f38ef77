#include "ceremony/record/lock_holder.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace ceremony::record {
namespace {

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(' '); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(' ', end);
  }
  return words;
}

}  // namespace

std::optional<pid_t> FindLockHolder(dev_t device, ino_t inode) {
  std::ifstream file("/proc/locks");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return FindLockHolderIn(text, device, inode);
}

std::optional<pid_t> FindLockHolderIn(std::string_view locks, dev_t device, ino_t inode) {
  // "1: FLOCK  ADVISORY  WRITE 4711 fe:01:1310739 0 EOF"; a waiter has "->" as second word.
  const std::string same_device = fmt::format("{:02x}:{:02x}:{}", major(device), minor(device), inode);
  const std::string same_inode = fmt::format(":{}", inode);
  std::optional<pid_t> by_inode;
  while (!locks.empty()) {
    const std::size_t end = std::min(locks.find('\n'), locks.size());
    const std::vector<std::string_view> words = Words(locks.substr(0, end));
    locks.remove_prefix(std::min(end + 1, locks.size()));
    if (words.size() < 6 || words[1] != "FLOCK" || !words[5].ends_with(same_inode)) continue;
    pid_t pid = 0;
    std::from_chars(words[4].data(), words[4].data() + words[4].size(), pid);
    if (pid <= 0) continue;
    if (words[5] == same_device) return pid;
    // Layered file systems show another device than stat does.
    if (!by_inode.has_value()) by_inode = pid;
  }
  return by_inode;
}

}  // namespace ceremony::record
