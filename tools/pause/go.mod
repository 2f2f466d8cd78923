module hourglass/tools/pause

go 1.25.0
