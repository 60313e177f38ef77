#include "ceremony/estate/planner.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/clock.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/csv.h"
#include "hsm/base/digest.h"

namespace ceremony::estate {
namespace {

// RFC 5545 3.1: a line is at most 75 octets; a fold never parts a UTF-8 character.
void AddLine(std::string& calendar, std::string_view line) {
  constexpr std::size_t kMost = 75;
  std::size_t room = kMost;
  while (line.size() > room) {
    std::size_t cut = room;
    while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xc0U) == 0x80U) --cut;
    calendar += line.substr(0, cut);
    calendar += "\r\n ";
    line.remove_prefix(cut);
    room = kMost - 1;  // the blank counts
  }
  calendar += line;
  calendar += "\r\n";
}

// RFC 5545 3.3.11: TEXT.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == ';' || c == ',') escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else if (c != '\r') {
      escaped += c;
    }
  }
  return escaped;
}

// "2026-11-21T..." -> "20261121".
std::string BasicDay(std::string_view time) {
  std::string day = base::DayOf(time);
  std::erase(day, '-');
  return day;
}

std::string BasicTime(std::string_view time) {
  std::string basic(time.substr(0, 19));
  std::erase(basic, '-');
  std::erase(basic, ':');
  return basic + "Z";
}

}  // namespace

std::string WriteCalendar(const std::vector<DueItem>& due, std::string_view estate, std::int64_t now_micros) {
  const std::string now = base::FormatTime(now_micros);
  std::string calendar;
  AddLine(calendar, "BEGIN:VCALENDAR");
  AddLine(calendar, "VERSION:2.0");
  AddLine(calendar, "PRODID:-//keyceremony//status//EN");
  AddLine(calendar, "CALSCALE:GREGORIAN");
  AddLine(calendar, "METHOD:PUBLISH");
  for (const DueItem& item : due) {
    const std::string_view day = item.by.empty() ? std::string_view(now) : std::string_view(item.by);
    AddLine(calendar, "BEGIN:VEVENT");
    // One thing to do keeps its UID, so that a new file moves the event and adds none.
    AddLine(calendar, fmt::format("UID:{}@{}", base::Sha256Hex(item.what + "\n" + item.subject).substr(0, 32), estate));
    AddLine(calendar, "DTSTAMP:" + BasicTime(now));
    AddLine(calendar, "DTSTART;VALUE=DATE:" + BasicDay(day));
    AddLine(calendar,
            "SUMMARY:" + Escaped(fmt::format("{}{} {}", item.overdue ? "OVERDUE: " : "", item.what, item.subject)));
    if (!item.by.empty()) AddLine(calendar, "DESCRIPTION:" + Escaped(fmt::format("by {}, {}", item.by, estate)));
    AddLine(calendar, "CATEGORIES:" + Escaped(item.overdue ? "OVERDUE" : "DUE"));
    AddLine(calendar, "TRANSP:TRANSPARENT");
    AddLine(calendar, "END:VEVENT");
  }
  AddLine(calendar, "END:VCALENDAR");
  return calendar;
}

std::string WriteTable(const std::vector<DueItem>& due) {
  std::string table = "overdue,by,what,subject\r\n";
  for (const DueItem& item : due) {
    table += fmt::format("{},{},{},{}\r\n", item.overdue ? "yes" : "no", base::CsvCell(item.by),
                         base::CsvCell(item.what), base::CsvCell(item.subject));
  }
  return table;
}

}  // namespace ceremony::estate
