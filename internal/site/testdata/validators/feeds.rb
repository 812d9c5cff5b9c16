# Reads each file as RSS 2.0 or Atom and fails where the format's rules are broken.
require "rss"

ARGV.each { |file| RSS::Parser.parse(File.read(file), validate: true) or abort "#{file}: no feed" }
