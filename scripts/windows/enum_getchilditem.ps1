<#
.SYNOPSIS
    Lists the DICOM files below a folder of a NAS, one path a line; copies nothing and opens no file.

.DESCRIPTION
    Runs on Windows PowerShell 5.1 and PowerShell 7. Output: UTF-8, one full path a line (as it was asked for: UNC below a
    UNC path), no heading. Kept are .dcm, .dicom, .ima, no extension, and endings that are numbers (the last part of a UID).
    The list takes its place only when it is whole. Reading Room reads it:

        scripts/build_index --list nas_dicom_files.txt --map '\\nas\images=/mnt/images'

    or as a source of type "list". Folders that cannot be read are told as warnings, and the exit code is 1 then.

.EXAMPLE
    powershell -ExecutionPolicy Bypass -File .\enum_getchilditem.ps1 -Path \\nas\images -Out nas_dicom_files.txt

.EXAMPLE
    powershell -ExecutionPolicy Bypass -File .\enum_getchilditem.ps1 -Path \\nas\images -SampleLimit 200
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)] [string] $Path,
    [string] $Out = 'nas_dicom_files.txt',
    [int] $SampleLimit = 0,
    [switch] $AllFiles
)

$ErrorActionPreference = 'Stop'
if (-not (Test-Path -LiteralPath $Path -PathType Container)) {
    # Continue: under Stop this line would end the script, with another exit code.
    Write-Error "There is no folder $Path" -ErrorAction Continue
    exit 2
}
$target = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Out)
$fresh = "$target.part"
$wanted = '^$|^\.(dcm|dicom|ima|\d+)$'
$count = 0
$started = Get-Date
$failed = @()
# UTF-8 without a byte order mark, whatever this PowerShell takes for its default.
$writer = New-Object System.IO.StreamWriter($fresh, $false, (New-Object System.Text.UTF8Encoding($false)))
try {
    # -File and -Recurse stream; nothing is kept in memory but the errors.
    Get-ChildItem -LiteralPath $Path -Recurse -File -Force -ErrorAction SilentlyContinue -ErrorVariable +failed |
        Where-Object { $AllFiles -or $_.Extension -match $wanted } |
        ForEach-Object {
            $writer.WriteLine($_.FullName)
            $count++
            if ($count % 1000 -eq 0) { Write-Progress -Activity "Listing $Path" -Status "$count files" }
            if ($SampleLimit -gt 0 -and $count -ge $SampleLimit) { throw [System.OperationCanceledException]::new('enough') }
        }
}
catch [System.OperationCanceledException] { }
finally { $writer.Dispose() }
Move-Item -LiteralPath $fresh -Destination $target -Force
foreach ($each in $failed) { Write-Warning $each.ToString() }
Write-Output ("{0} files in {1:n1} s, listed in {2}" -f $count, ((Get-Date) - $started).TotalSeconds, $target)
if ($failed.Count -gt 0) { exit 1 }
exit 0
